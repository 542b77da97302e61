// Command demo shows Postern's whole path on one machine: a real API server and
// etcd, the manager and the receiver as processes under the identities that they
// have in a cluster, a Redis with exactly the sidecar's arguments, and a little
// server as the target of the events.
//
// There is no kubelet: the demo reads the receiver's Deployment, which the
// manager wrote, and starts its containers' arguments as processes.
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
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintf(os.Stderr, "\ndemo: %v\n", err)
		os.Exit(1)
	}
}

type options struct {
	postern string // the binary to show
	install string // rendered manifests of the installation
	assets  string // folder of kube-apiserver, etcd and kubectl
	exit    bool   // end after the last step instead of staying up
}

func run() error {
	var o options
	flag.StringVar(&o.postern, "postern", "bin/postern", "the binary to show")
	flag.StringVar(&o.install, "install", "dist/install.yaml", "rendered manifests of the installation")
	flag.StringVar(&o.assets, "assets", os.Getenv("KUBEBUILDER_ASSETS"), "folder of kube-apiserver, etcd and kubectl")
	flag.BoolVar(&o.exit, "exit", os.Getenv("DEMO_EXIT") != "", "end after the last step")
	flag.Parse()
	if o.assets == "" {
		return errors.New("set KUBEBUILDER_ASSETS, or use `make demo`, which finds or builds the control plane")
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	s, err := newStage(o)
	if err != nil {
		return err
	}
	defer s.clean()

	begin := time.Now()
	if err := s.play(ctx); err != nil {
		if ctx.Err() != nil {
			return errors.New("interrupted")
		}
		s.showLogs()
		return err
	}
	fmt.Printf("\nEvery step showed what it must, in %s.\n", rounded(time.Since(begin)))
	if o.exit {
		return nil
	}
	s.showHints()
	select {
	case <-ctx.Done():
		fmt.Println("\nStopping; nothing is left behind.")
		return nil
	case name := <-s.died:
		s.showLogs()
		return fmt.Errorf("%s ended by itself", name)
	}
}

func (s *stage) play(ctx context.Context) error {
	for _, act := range []func(context.Context) error{
		s.startControlPlane,
		s.install,
		s.startManager,
		s.startReceiver,
		s.applyGitHub,
		s.showGitHub,
		s.showStripe,
		s.showDuplicate,
		s.showForged,
		s.showForeignAddress,
		s.applyProviders,
		s.showSlack,
		s.showShopify,
		s.showOutage,
		s.showRotation,
	} {
		if err := act(ctx); err != nil {
			return err
		}
	}
	return nil
}
