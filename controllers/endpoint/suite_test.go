package endpoint_test

import (
	"context"
	"net/http/httptest"
	"os"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers"
	"github.com/postern-dev/postern/controllers/controltest"
	"github.com/postern-dev/postern/controllers/meta"
)

// The tests share one API server, one manager and one receiver; each has
// namespaces of its own.
var (
	cluster  *controltest.Cluster
	receiver *controltest.Receiver
)

const externalURL = "https://hooks.example.com"

func TestMain(m *testing.M) {
	os.Exit(controltest.Main(controllers.NewScheme, func(started *controltest.Cluster) (int, error) {
		cluster = started
		return run(m)
	}))
}

func run(m *testing.M) (code int, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if err := prepare(ctx); err != nil {
		return 1, err
	}
	receiver = controltest.NewReceiver(cluster, meta.DefaultNamespace)
	defer receiver.Close()
	list := httptest.NewServer(&published)
	defer list.Close()
	options := controllers.Options{
		ReceiverURLs: []string{receiver.URL()}, Image: "postern:test",
		AddressRangeURLs: map[string]string{"github": list.URL, "own": list.URL + "/own"},
	}
	ended, err := manage(ctx, options)
	if err != nil {
		return 1, err
	}
	code = m.Run()
	cancel()
	return code, <-ended
}

// prepare makes what the platform team makes once.
func prepare(ctx context.Context) error {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: meta.DefaultNamespace}}
	if err := cluster.Client.Create(ctx, namespace); err != nil {
		return err
	}
	return cluster.Client.Create(ctx, &v1alpha1.WebhookReceiver{
		ObjectMeta: metav1.ObjectMeta{Name: meta.DefaultReceiver, Namespace: meta.DefaultNamespace},
		Spec:       v1alpha1.WebhookReceiverSpec{ExternalURL: externalURL},
	})
}

// manage runs a manager until ctx ends; the channel then tells how it ended.
func manage(ctx context.Context, options controllers.Options) (<-chan error, error) {
	return cluster.Manage(ctx, controllers.CacheOptions(options), func(mgr ctrl.Manager) error {
		return controllers.Setup(ctx, mgr, options)
	})
}
