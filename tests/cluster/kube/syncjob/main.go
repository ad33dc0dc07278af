// Times syncJob of the real Job controller alone: no API calls, all Pods in the informer's cache. The rows are those of
// docs/performance.md; one JSON line each, as tests/bench/baseline.json keeps them.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"sync"
	"time"
	"unsafe"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/controller"
	"k8s.io/kubernetes/pkg/controller/job"
	consistencyutil "k8s.io/kubernetes/pkg/controller/util/consistency"
)

// Every call succeeds and does nothing.
type nothing struct{}

func (nothing) CreatePods(context.Context, string, *corev1.PodTemplateSpec, runtime.Object, *metav1.OwnerReference) error {
	return nil
}

func (nothing) CreatePodsWithGenerateName(context.Context, string, *corev1.PodTemplateSpec, runtime.Object, *metav1.OwnerReference, string) error {
	return nil
}

func (nothing) DeletePod(context.Context, string, string, runtime.Object) error { return nil }

func (nothing) PatchPod(context.Context, string, string, []byte) error { return nil }

// The field of a struct, whether it is exported or not.
func field[T any](of any, name string) *T {
	found := reflect.ValueOf(of).Elem().FieldByName(name)
	if !found.IsValid() {
		panic("the controller has no field " + name)
	}
	return (*T)(unsafe.Pointer(found.UnsafeAddr()))
}

// What a controller remembers is in a store of its own type, behind a pointer.
func store(of any, name string) cache.Store {
	pointer := reflect.ValueOf(of).Elem().FieldByName(name)
	kept := pointer.Elem().FieldByName("store")
	return *(*cache.Store)(unsafe.Pointer(kept.UnsafeAddr()))
}

type bench struct {
	jm      *job.Controller
	syncJob func(context.Context, string) error
}

func newBench(ctx context.Context, c benchCase, count int) (*bench, error) {
	factory := informers.NewSharedInformerFactory(fake.NewClientset(), 0)
	pods, jobs := factory.Core().V1().Pods(), factory.Batch().V1().Jobs()
	jm, err := job.NewController(ctx, fake.NewClientset(), pods, jobs, nil, nil)
	if err != nil {
		return nil, err
	}
	*field[controller.PodControlInterface](jm, "podControl") = nothing{}
	*field[consistencyutil.ConsistencyStore](jm, "consistencyStore") = consistencyutil.NewNoopConsistencyStore()
	*field[func(context.Context, *batchv1.Job) (*batchv1.Job, error)](jm, "updateStatusHandler") =
		func(_ context.Context, j *batchv1.Job) (*batchv1.Job, error) { return j, nil }
	created := time.Now().Add(-1000 * time.Second)
	if err := jobs.Informer().GetIndexer().Add(c.job(count, created)); err != nil {
		return nil, err
	}
	for i := range c.pods(count) {
		if err := pods.Informer().GetIndexer().Add(c.pod(i, count, created)); err != nil {
			return nil, err
		}
	}
	return &bench{jm: jm, syncJob: *field[func(context.Context, string) error](jm, "syncHandler")}, nil
}

// Forgets what syncs leave behind, so that each of them meets the same state.
func (b *bench) reset(logger klog.Logger) error {
	expectations := *field[controller.ControllerExpectationsInterface](b.jm, "expectations")
	expectations.DeleteExpectations(logger, key)
	if err := store(b.jm, "finalizerExpectations").Replace(nil, ""); err != nil {
		return err
	}
	field[sync.Map](b.jm, "finishedJobExpectations").Clear()
	return store(b.jm, "podBackoffStore").Replace(nil, "")
}

// The least and the median time of a sync.
func (b *bench) measure(ctx context.Context, atMost time.Duration) (int64, int64, error) {
	var samples []int64
	started := time.Now()
	for len(samples) < 3 || (time.Since(started) < atMost && len(samples) < 2000) {
		if err := b.reset(klog.FromContext(ctx)); err != nil {
			return 0, 0, err
		}
		begun := time.Now()
		err := b.syncJob(ctx, key)
		samples = append(samples, time.Since(begun).Nanoseconds())
		if err != nil {
			return 0, 0, err
		}
	}
	slices.Sort(samples)
	return samples[0], samples[len(samples)/2], nil
}

func run() error {
	most := flag.Int("most", 100_000, "the largest Job, in Pods")
	only := flag.String("case", "", "this case only")
	flag.Parse()
	ctx := klog.NewContext(context.Background(), klog.Logger{})
	for _, c := range cases {
		if *only != "" && *only != c.name {
			continue
		}
		for count := 10; count <= *most; count *= 10 {
			if count == 100 {
				continue
			}
			b, err := newBench(ctx, c, count)
			if err != nil {
				return err
			}
			least, median, err := b.measure(ctx, 2*time.Second)
			if err != nil {
				return fmt.Errorf("%s, %d Pods: %w", c.name, count, err)
			}
			row := map[string]any{"case": c.name, "pods": count, "minNs": least, "medianNs": median}
			if err := json.NewEncoder(os.Stdout).Encode(row); err != nil {
				return err
			}
		}
	}
	return nil
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "syncjob:", err)
		os.Exit(1)
	}
}
