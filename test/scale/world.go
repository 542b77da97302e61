package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/controllers"
	"github.com/postern-dev/postern/test/local"
)

// world is what is measured.
type world struct {
	*local.Installation
	options
	admin  client.Client
	config *rest.Config
	http   *http.Client
	report report
}

const receiverManifest = `
apiVersion: hooks.postern.dev/v1alpha1
kind: WebhookReceiver
metadata: {name: default, namespace: postern-system}
spec: {externalURL: "http://hooks.example.com"}
`

func newWorld(ctx context.Context, o options) (*world, error) {
	manifest, err := os.ReadFile(o.install)
	if err != nil {
		return nil, fmt.Errorf("%w: run `make installer`", err)
	}
	installation, err := local.Install(ctx, local.Options{
		Postern: o.postern, Manifest: manifest, Assets: o.assets, Receiver: receiverManifest, Patience: o.patience,
		ManagerArgs: []string{fmt.Sprintf("--memory-limit-bytes=%d", maxManager)},
	})
	w := &world{Installation: installation, options: o, http: &http.Client{}}
	if err == nil {
		err = w.connect()
	}
	if err != nil {
		w.clean()
		return nil, err
	}
	return w, nil
}

func (w *world) connect() error {
	kubeconfig, err := w.Plane.Kubeconfig("scale", "system:masters")
	if err != nil {
		return err
	}
	if w.config, err = clientcmd.RESTConfigFromKubeConfig(kubeconfig); err != nil {
		return err
	}
	w.config.QPS = -1 // the measurement is not to wait for itself
	scheme, err := controllers.NewScheme()
	if err != nil {
		return err
	}
	w.admin, err = client.New(w.config, client.Options{Scheme: scheme})
	return err
}

func (w *world) clean() {
	if w.Installation != nil {
		w.Stop()
	}
}

// showLogs prints the ends of the processes' logs.
func (w *world) showLogs() {
	for _, name := range []string{"manager", "receiver"} {
		text, err := w.Log(name)
		if err != nil {
			continue
		}
		lines := strings.Split(strings.TrimSpace(text), "\n")
		fmt.Fprintf(os.Stderr, "\n--- the end of %s.log\n%s\n", name, strings.Join(lines[max(0, len(lines)-15):], "\n"))
	}
}
