package controllers_test

import (
	"os"
	"testing"

	"github.com/postern-dev/postern/controllers"
	"github.com/postern-dev/postern/controllers/controltest"
)

var cluster *controltest.Cluster

func TestMain(m *testing.M) {
	os.Exit(controltest.Main(controllers.NewScheme, func(started *controltest.Cluster) (int, error) {
		cluster = started
		return m.Run(), nil
	}))
}
