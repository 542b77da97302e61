package controltest

import (
	"fmt"
	"os"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
)

// Main is the body of a TestMain: it starts an API server, lets the tests run
// against it and stops it. It returns the status to end the process with.
func Main(scheme func() (*runtime.Scheme, error), run func(*Cluster) (code int, err error)) int {
	code, err := around(scheme, run)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

func around(scheme func() (*runtime.Scheme, error), run func(*Cluster) (int, error)) (code int, err error) {
	kinds, err := scheme()
	if err != nil {
		return 1, err
	}
	ctrl.SetLogger(logr.Discard())
	cluster, stop, err := Start(kinds)
	if err != nil {
		return 1, err
	}
	defer func() {
		if stopErr := stop(); err == nil && stopErr != nil {
			err = fmt.Errorf("stop API server: %w", stopErr)
		}
	}()
	return run(cluster)
}
