package main

import (
	"fmt"
	"strconv"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

const key = "default/j"

// One Job with P Pods in a given state; policy-core/benches/cases/mod.rs makes the same ones.
type benchCase struct {
	name     string
	indexed  bool
	perIndex bool
	policy   bool
	// Which Pods have ended, and how.
	ended func(i, count int) corev1.PodPhase
}

var cases = []benchCase{
	{name: "fresh", ended: none},
	{name: "steady", ended: none},
	{name: "failing", ended: middle},
	{name: "indexed", indexed: true, ended: none},
	{name: "indexed-failing", indexed: true, perIndex: true, ended: middle},
	{name: "policy", indexed: true, perIndex: true, policy: true, ended: even},
	{name: "done", ended: all},
	{name: "indexed-done", indexed: true, ended: all},
}

func none(int, int) corev1.PodPhase { return "" }

func all(int, int) corev1.PodPhase { return corev1.PodSucceeded }

func middle(i, count int) corev1.PodPhase {
	if i == count/2 {
		return corev1.PodFailed
	}
	return ""
}

func even(i, _ int) corev1.PodPhase {
	if i%2 == 0 {
		return corev1.PodFailed
	}
	return ""
}

func (c benchCase) pods(count int) int {
	if c.name == "fresh" {
		return 0
	}
	return count
}

var labels = map[string]string{"batch.kubernetes.io/controller-uid": "u", "batch.kubernetes.io/job-name": "j",
	"controller-uid": "u", "job-name": "j"}

func (c benchCase) job(count int, created time.Time) *batchv1.Job {
	p := int32(count)
	j := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: "j", Namespace: "default", UID: "u", CreationTimestamp: metav1.NewTime(created)},
		Spec: batchv1.JobSpec{
			Completions: &p, Parallelism: &p, BackoffLimit: ptr.To[int32](6), Suspend: ptr.To(false),
			Selector:             &metav1.LabelSelector{MatchLabels: map[string]string{"batch.kubernetes.io/controller-uid": "u"}},
			CompletionMode:       ptr.To(batchv1.NonIndexedCompletion),
			PodReplacementPolicy: ptr.To(batchv1.TerminatingOrFailed),
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{RestartPolicy: corev1.RestartPolicyNever,
					Containers: []corev1.Container{{Name: "main", Image: "busybox:1.28", Command: []string{"sh", "-c", "work"}}}},
			},
		},
	}
	if c.name != "fresh" {
		j.Status = batchv1.JobStatus{Active: p, Ready: &p, Terminating: ptr.To[int32](0),
			StartTime: ptr.To(metav1.NewTime(created)), UncountedTerminatedPods: &batchv1.UncountedTerminatedPods{}}
	}
	if c.indexed {
		j.Spec.CompletionMode = ptr.To(batchv1.IndexedCompletion)
	}
	if c.perIndex {
		j.Spec.BackoffLimit, j.Spec.BackoffLimitPerIndex = ptr.To[int32](2147483647), ptr.To[int32](3)
		j.Status.FailedIndexes = ptr.To("")
	}
	if c.policy {
		j.Spec.PodReplacementPolicy = ptr.To(batchv1.Failed)
		j.Spec.PodFailurePolicy = &batchv1.PodFailurePolicy{Rules: rules()}
	}
	return j
}

func rules() []batchv1.PodFailurePolicyRule {
	in := batchv1.PodFailurePolicyOnExitCodesOpIn
	return []batchv1.PodFailurePolicyRule{
		{Action: batchv1.PodFailurePolicyActionFailJob, OnExitCodes: &batchv1.PodFailurePolicyOnExitCodesRequirement{
			ContainerName: ptr.To("main"), Operator: in, Values: []int32{42}}},
		{Action: batchv1.PodFailurePolicyActionFailIndex, OnExitCodes: &batchv1.PodFailurePolicyOnExitCodesRequirement{
			Operator: in, Values: []int32{3, 4, 5}}},
		{Action: batchv1.PodFailurePolicyActionIgnore, OnPodConditions: []batchv1.PodFailurePolicyOnPodConditionsPattern{
			{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue}}},
	}
}

func (c benchCase) pod(i, count int, created time.Time) *corev1.Pod {
	at := func(seconds int) metav1.Time {
		return metav1.NewTime(created.Add(time.Duration(seconds) * time.Second))
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: fmt.Sprintf("j-%06d", i), UID: types.UID(fmt.Sprintf("uid-%06d", i)), Namespace: "default", CreationTimestamp: at(1), Labels: labels,
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "Job", Name: "j", UID: "u",
				Controller: ptr.To(true), BlockOwnerDeletion: ptr.To(true)}},
			Finalizers: []string{batchv1.JobTrackingFinalizer},
		},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "main"}}, NodeName: "n1"},
		Status: corev1.PodStatus{
			Phase: corev1.PodRunning,
			Conditions: []corev1.PodCondition{
				{Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: at(2)},
				{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: at(3)}},
			ContainerStatuses: []corev1.ContainerStatus{{Name: "main", Ready: true,
				State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: at(3)}}}},
		},
	}
	if c.indexed {
		pod.Annotations = map[string]string{batchv1.JobCompletionIndexAnnotation: strconv.Itoa(i),
			batchv1.JobIndexFailureCountAnnotation: "0"}
	}
	if phase := c.ended(i, count); phase != "" {
		c.end(pod, phase, at(999))
	}
	return pod
}

func (c benchCase) end(pod *corev1.Pod, phase corev1.PodPhase, at metav1.Time) {
	code := int32(0)
	if phase == corev1.PodFailed {
		code = 1
	}
	pod.Status.Phase = phase
	pod.Status.Conditions[1].Status = corev1.ConditionFalse
	pod.Status.ContainerStatuses[0].Ready = false
	pod.Status.ContainerStatuses[0].State = corev1.ContainerState{
		Terminated: &corev1.ContainerStateTerminated{ExitCode: code, FinishedAt: at}}
	if c.policy {
		pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{
			Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, LastTransitionTime: at})
	}
}
