package fleet_test

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

// The tests share one API server, one manager and one process that answers for
// all receiver pods; each has a WebhookReceiver of its own name.
var (
	cluster  *controltest.Cluster
	answerer *controltest.Receiver
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
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: meta.DefaultNamespace}}
	if err := cluster.Client.Create(ctx, namespace); err != nil {
		return 1, err
	}
	answerer = controltest.NewReceiver(cluster, meta.DefaultNamespace)
	defer answerer.Close()
	ended, err := manage(ctx, controllers.Options{Image: "postern:test", ReceiverPort: answerer.Port()})
	if err != nil {
		return 1, err
	}
	code = m.Run()
	cancel()
	return code, <-ended
}

func manage(ctx context.Context, options controllers.Options) (<-chan error, error) {
	return cluster.Manage(ctx, controllers.CacheOptions(options), func(mgr ctrl.Manager) error {
		return controllers.Setup(ctx, mgr, options)
	})
}
