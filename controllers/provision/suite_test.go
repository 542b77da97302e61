package provision_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/postern-dev/postern/controllers"
	"github.com/postern-dev/postern/controllers/controltest"
)

// cluster is shared; each test has a namespace of its own.
var cluster *controltest.Cluster

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	scheme, err := controllers.NewScheme()
	if err != nil {
		return 1, err
	}
	var stop func() error
	if cluster, stop, err = controltest.Start(scheme); err != nil {
		return 1, err
	}
	defer func() {
		if stopErr := stop(); err == nil && stopErr != nil {
			err = fmt.Errorf("stop API server: %w", stopErr)
		}
	}()
	return m.Run(), nil
}
