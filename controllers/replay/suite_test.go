package replay_test

import (
	"context"
	"os"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/postern-dev/postern/controllers"
	"github.com/postern-dev/postern/controllers/controltest"
	"github.com/postern-dev/postern/controllers/meta"
)

// The tests share one API server, one manager and one receiver; each has a
// namespace of its own.
var (
	cluster  *controltest.Cluster
	receiver *controltest.Receiver
)

func TestMain(m *testing.M) {
	os.Exit(controltest.Main(controllers.NewScheme, func(started *controltest.Cluster) (int, error) {
		cluster = started
		return run(m)
	}))
}

func run(m *testing.M) (code int, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	system := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: meta.DefaultNamespace}}
	if err := cluster.Client.Create(ctx, system); err != nil {
		return 1, err
	}
	receiver = controltest.NewReceiver(cluster, meta.DefaultNamespace)
	defer receiver.Close()
	options := controllers.Options{ReceiverURLs: []string{receiver.URL()}, Image: "postern:test"}
	ended, err := cluster.Manage(ctx, controllers.CacheOptions(options), func(mgr ctrl.Manager) error {
		return controllers.Setup(ctx, mgr, options)
	})
	if err != nil {
		return 1, err
	}
	code = m.Run()
	cancel()
	return code, <-ended
}
