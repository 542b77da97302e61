// Package security proves what no single package can: that secrets stay where
// they belong while everything runs, and that nobody has more rights than meant.
package security

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/controllers"
	"github.com/postern-dev/postern/test/local"
	"github.com/postern-dev/postern/test/wait"
)

// The tests share one installation: the program as it is shipped, beside a real
// API server and a real Redis.
var (
	installation *local.Installation
	config       *rest.Config
	admin        client.Client
	failing      = newTarget() // the Service ci/builder
	shared       = newTarget() // the Service platform/shared
)

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		return 1, errors.New("KUBEBUILDER_ASSETS is not set: these tests need kube-apiserver and etcd; " +
			"run `make test`, which brings them")
	}
	folder, err := os.MkdirTemp("", "postern-security-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(folder)
	postern := filepath.Join(folder, "postern")
	if out, err := exec.Command("go", "build", "-o", postern, "../..").CombinedOutput(); err != nil {
		return 1, fmt.Errorf("build the program: %w\n%s", err, out)
	}
	build := exec.Command("go", "tool", "-modfile=hack/tools/go.mod", "kustomize", "build", "config/default")
	build.Dir = filepath.Join("..", "..")
	manifest, err := build.Output()
	if err != nil {
		return 1, fmt.Errorf("kustomize build: %w", err)
	}
	defer failing.close()
	defer shared.close()
	installation, err = local.Install(context.Background(), local.Options{
		Postern: postern, Manifest: manifest, Assets: assets, Receiver: receiver, Patience: wait.Patience,
		ManagerArgs: []string{"--log-level=debug"},
		ReceiverArgs: []string{
			"--log-level=debug", "--forward=ci/builder=" + failing.url, "--forward=platform/shared=" + shared.url,
		},
	})
	if installation != nil {
		defer installation.Stop()
	}
	if err != nil {
		return 1, err
	}
	if err := connect(); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

func connect() error {
	kubeconfig, err := installation.Plane.Kubeconfig("security", "system:masters")
	if err != nil {
		return err
	}
	if config, err = clientcmd.RESTConfigFromKubeConfig(kubeconfig); err != nil {
		return err
	}
	config.QPS = -1
	scheme, err := controllers.NewScheme()
	if err != nil {
		return err
	}
	admin, err = client.New(config, client.Options{Scheme: scheme})
	return err
}

const receiver = `
apiVersion: hooks.postern.dev/v1alpha1
kind: WebhookReceiver
metadata: {name: default, namespace: postern-system}
spec: {externalURL: "https://hooks.example.com"}
`
