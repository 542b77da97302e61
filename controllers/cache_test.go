package controllers_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers"
	"github.com/postern-dev/postern/controllers/meta"
)

// TestCacheHoldsNoTenantSecret keeps the promise that the manager holds the
// values of no Secret that it did not write.
func TestCacheHoldsNoTenantSecret(t *testing.T) {
	t.Parallel()
	options := controllers.CacheOptions(controllers.Options{Namespace: "hooks"})
	for object, filter := range options.ByObject {
		if _, ok := object.(*corev1.Secret); !ok {
			continue
		}
		if _, only := filter.Namespaces["hooks"]; !only || len(filter.Namespaces) != 1 {
			t.Errorf("Secrets of the namespaces %v are cached, want the system namespace alone", filter.Namespaces)
		}
		if filter.Label.Matches(labels.Set{"app": "shop"}) || !filter.Label.Matches(labels.Set(meta.RouteLabels())) ||
			!filter.Label.Matches(labels.Set(meta.RouteIndexLabels())) {
			t.Errorf("the filter %s lets through others than routes and index, or not those", filter.Label)
		}
		return
	}
	t.Error("Secrets are cached without a filter")
}

func TestWatchedNamespaces(t *testing.T) {
	t.Parallel()
	options := controllers.CacheOptions(controllers.Options{Namespace: "hooks", WatchNamespaces: []string{"a"}})
	for object, filter := range options.ByObject {
		_, a := filter.Namespaces["a"]
		_, hooks := filter.Namespaces["hooks"]
		switch object.(type) {
		case *v1alpha1.WebhookEndpoint:
			if !a || hooks {
				t.Errorf("endpoints of %v are served, want those of a", filter.Namespaces)
			}
		case *v1alpha1.WebhookReceiver, *corev1.Service:
			if !a || !hooks {
				t.Errorf("%T of %v are seen, want those of a and hooks", object, filter.Namespaces)
			}
		}
	}
}
