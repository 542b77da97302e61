// Command controlplane is kube-apiserver, etcd and kubectl in one binary: what
// tests and the demo need of Kubernetes, at the price of one link. The program
// is chosen by the name that the binary was started under, or by the first
// argument.
//
// It is a module of its own, so that Kubernetes' own requirements never reach
// the operator's go.mod.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
)

// programs holds functions, not commands: building a command registers flags
// and feature gates for the whole process, so only the wanted one may be built.
var programs = map[string]func() int{
	"etcd":           runEtcd,
	"kube-apiserver": runAPIServer,
	"kubectl":        runKubectl,
}

func main() {
	name := filepath.Base(os.Args[0])
	if programs[name] == nil && len(os.Args) > 1 {
		os.Args = os.Args[1:]
		name = os.Args[0]
	}
	run := programs[name]
	if run == nil {
		fmt.Fprintf(os.Stderr, "%s: unknown program; start me as etcd, kube-apiserver or kubectl\n", name)
		os.Exit(2)
	}
	os.Exit(run())
}

func runEtcd() int {
	etcdmain.Main(os.Args)
	return 0
}

func runAPIServer() int {
	return cli.Run(apiserver.NewAPIServerCommand())
}

func runKubectl() int {
	if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
		kubectlutil.CheckErr(err)
	}
	return 0
}
