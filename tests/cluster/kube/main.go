// A Kubernetes v1.37 cluster in one binary, for the project's tests: every part is upstream's own code.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
	kwokconfig "sigs.k8s.io/kwok/pkg/config"
	kwok "sigs.k8s.io/kwok/pkg/kwok/cmd"
	kwoklog "sigs.k8s.io/kwok/pkg/log"
)

// The parts that are command lines of upstream's.
var parts = map[string]func() *cobra.Command{
	"apiserver":          func() *cobra.Command { return apiserver.NewAPIServerCommand() },
	"controller-manager": func() *cobra.Command { return controllers.NewControllerManagerCommand() },
	"scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
	"kubelet":            func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) },
	"kubectl":            func() *cobra.Command { return kubectl.NewDefaultKubectlCommand() },
}

const usage = "usage: kube pki DIR | etcd DIR CLIENT_URL PEER_URL | kwok … | apiserver … | controller-manager … | scheduler … | kubelet … | kubectl …"

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
	name, args := os.Args[1], os.Args[2:]
	switch name {
	case "pki":
		exitOn(makePKI(args))
	case "etcd":
		exitOn(runEtcd(args))
	case "kwok":
		exitOn(runKwok(args))
	default:
		part, known := parts[name]
		if !known {
			fmt.Fprintf(os.Stderr, "unknown part %q\n%s\n", name, usage)
			os.Exit(2)
		}
		os.Args = append([]string{name}, args...)
		os.Exit(cli.Run(part()))
	}
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "kube:", strings.TrimSpace(err.Error()))
		os.Exit(1)
	}
}

func runKwok(args []string) error {
	// kwok reads its global flags before its command is made.
	os.Args = append([]string{"kwok"}, args...)
	flags := pflag.NewFlagSet("kwok", pflag.ContinueOnError)
	flags.ParseErrorsAllowlist.UnknownFlags = true
	flags.Usage = func() {}
	ctx, _ := kwoklog.InitFlags(context.Background(), flags)
	ctx, err := kwokconfig.InitFlags(ctx, flags)
	if err != nil {
		return err
	}
	command := kwok.NewCommand(ctx)
	command.PersistentFlags().AddFlagSet(flags)
	// Its --version is declared otherwise by the other parts.
	command.Version = ""
	return command.ExecuteContext(ctx)
}
