// What a real node needs besides the kubelet: kube-proxy for Services and CoreDNS for their names, in one binary.
package main

import (
	"fmt"
	"os"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	"k8s.io/component-base/cli"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
)

// Plugins run in this order.
var plugins = []string{"bind", "errors", "cache", "kubernetes"}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: node kube-proxy … | coredns …")
		os.Exit(2)
	}
	name := os.Args[1]
	os.Args = append([]string{name}, os.Args[2:]...)
	switch name {
	case "kube-proxy":
		os.Exit(cli.Run(proxy.NewProxyCommand()))
	case "coredns":
		dnsserver.Directives = plugins
		coremain.Run()
	default:
		fmt.Fprintf(os.Stderr, "unknown part %q\n", name)
		os.Exit(2)
	}
}
