// Command scale measures Postern with many endpoints: a real API server and
// etcd, the manager and the receiver as processes under the identities that they
// have in a cluster. It prints how long all take to be Ready, how long one
// change takes to have effect while they are there, what a change costs the API
// server, and what the processes weigh.
//
// It imports test/local, test/kube and the API types.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintf(os.Stderr, "scale: %v\n", err)
		os.Exit(1)
	}
}

// options say how much is measured.
type options struct {
	postern string
	install string
	assets  string

	endpoints  int
	namespaces int
	changes    int
	patience   time.Duration
}

func run() error {
	var o options
	flag.StringVar(&o.postern, "postern", "bin/postern", "the binary to measure")
	flag.StringVar(&o.install, "install", "dist/install.yaml", "rendered manifests of the installation")
	flag.StringVar(&o.assets, "assets", os.Getenv("KUBEBUILDER_ASSETS"), "folder of kube-apiserver, etcd and kubectl")
	flag.IntVar(&o.endpoints, "endpoints", 10000, "number of endpoints")
	flag.IntVar(&o.namespaces, "namespaces", 500, "number of namespaces that they are spread over")
	flag.IntVar(&o.changes, "changes", 200, "number of single changes")
	flag.DurationVar(&o.patience, "patience", 30*time.Minute, "bound of every wait")
	flag.Parse()
	if o.namespaces < 1 || o.endpoints < o.namespaces || o.changes < 2 {
		return errors.New("at least one namespace, one endpoint in each and two changes are needed")
	}
	ctrl.SetLogger(logr.Discard()) // the watch would complain about its not being set
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	w, err := newWorld(ctx, o)
	if err != nil {
		return err
	}
	defer w.clean()
	if err := w.measure(ctx); err != nil {
		w.showLogs()
		return err
	}
	return w.report.judge()
}
