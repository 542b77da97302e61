package kube_test

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/postern-dev/postern/test/wait"
)

// api is the one API server that all tests of this package share; each test
// has a namespace of its own.
var (
	api       *kubernetes.Clientset
	apiConfig *rest.Config
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
		return 1, errors.New("KUBEBUILDER_ASSETS is not set: these tests need kube-apiserver and etcd; " +
			"run `make test`, which brings them")
	}
	environment := &envtest.Environment{ControlPlaneStartTimeout: wait.Patience}
	defer func() { err = errors.Join(err, environment.Stop()) }()
	if apiConfig, err = environment.Start(); err != nil {
		return 1, fmt.Errorf("start API server: %w", err)
	}
	if api, err = kubernetes.NewForConfig(apiConfig); err != nil {
		return 1, err
	}
	// The environment and idle connections of the shared client stay.
	before := goleak.IgnoreCurrent()
	code = m.Run()
	if code == 0 {
		err = goleak.Find(before,
			goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
			goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"),
			goleak.IgnoreAnyFunction("net/http/internal/http2.(*clientConnReadLoop).run"),
			goleak.IgnoreAnyFunction("net/http.(*http2ClientConn).readLoop"),
			goleak.IgnoreAnyFunction("golang.org/x/net/http2.(*ClientConn).readLoop"))
	}
	return code, err
}
