// Package crd_test applies objects to a real API server and checks that the
// schemas of config/crd accept what they should and refuse the rest with a
// sentence that tells what to write instead.
package crd_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/test/wait"
)

// api is a client of the one API server that all tests of this package share,
// at server.
var (
	api    client.Client
	server *rest.Config
)

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		return 1, fmt.Errorf("KUBEBUILDER_ASSETS is not set: these tests need kube-apiserver and etcd; " +
			"run `make test`, which brings them")
	}
	environment := &envtest.Environment{
		ControlPlaneStartTimeout: wait.Patience,
		CRDDirectoryPaths:        []string{filepath.Join("..", "..", "config", "crd", "bases")},
		ErrorIfCRDPathMissing:    true,
	}
	// Start leaves the processes behind when installing the CRDs fails.
	defer func() {
		if stopErr := environment.Stop(); err == nil && stopErr != nil {
			err = fmt.Errorf("stop API server: %w", stopErr)
		}
	}()
	config, err := environment.Start()
	if err != nil {
		return 1, fmt.Errorf("start API server: %w", err)
	}
	server = config
	if err := v1alpha1.AddToScheme(scheme.Scheme); err != nil {
		return 1, err
	}
	api, err = client.New(config, client.Options{Scheme: scheme.Scheme})
	if err != nil {
		return 1, err
	}
	return m.Run(), nil
}
