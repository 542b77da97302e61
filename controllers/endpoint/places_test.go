package endpoint_test

import (
	"fmt"
	"sync"
	"testing"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/controltest"
	"github.com/postern-dev/postern/controllers/meta"
	"github.com/postern-dev/postern/test/wait"
)

// maxEndpoints is more than any other test of this package has in a namespace.
const maxEndpoints = 12

// TestNamespaceLimit follows a namespace that wants more endpoints than it may
// have, applied all at once in an order that is not that of their names.
func TestNamespaceLimit(t *testing.T) {
	t.Parallel()
	limited := &v1alpha1.WebhookReceiver{
		ObjectMeta: metav1.ObjectMeta{Name: "limited", Namespace: meta.DefaultNamespace},
		Spec:       v1alpha1.WebhookReceiverSpec{NamespaceLimits: v1alpha1.NamespaceLimits{MaxEndpoints: maxEndpoints}},
	}
	cluster.Create(t, limited)
	neighbour := settled(t, cluster.Namespace(t))
	namespace := cluster.Namespace(t)
	cluster.Create(t, secret(namespace, "github", good), service(namespace, "builder"))
	const extra = 5
	var group sync.WaitGroup
	for i := range maxEndpoints + extra {
		endpoint := github(namespace)
		endpoint.Name = fmt.Sprintf("hook-%02d", (i*7)%(maxEndpoints+extra))
		group.Go(func() {
			if err := cluster.Client.Create(t.Context(), endpoint); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	served, refused := waitPlaces(t, namespace, maxEndpoints, extra)
	for _, endpoint := range refused {
		if routeOf(t, endpoint) != nil {
			t.Errorf("%s was refused and has a route", endpoint.Name)
		}
		requireContains(t, apimeta.FindStatusCondition(endpoint.Status.Conditions, v1alpha1.ConditionReady).Message,
			fmt.Sprintf("namespace %s has its %d endpoints", namespace, maxEndpoints))
	}
	waitReady(t, neighbour)

	// A place that becomes free is taken at once, by nobody who had one.
	cluster.Delete(t, served[0])
	waitPlaces(t, namespace, maxEndpoints, extra-1)

	// Who has a place keeps it when the limit is lowered, and may still edit.
	controltest.Change(t, cluster, limited, func(r *v1alpha1.WebhookReceiver) { r.Spec.NamespaceLimits.MaxEndpoints = 1 })
	controltest.Change(t, cluster, served[1], func(e *v1alpha1.WebhookEndpoint) { e.Spec.MaxBodyBytes = 4096 })
	waitReady(t, served[1])
	waitPlaces(t, namespace, maxEndpoints, extra-1)

	cluster.Delete(t, limited)
	waitPlaces(t, namespace, maxEndpoints+extra-1, 0)
}

// waitPlaces waits until so many endpoints of the namespace are Ready and so
// many refused for want of a place.
func waitPlaces(t *testing.T, namespace string, wantServed, wantRefused int) (served, refused []*v1alpha1.WebhookEndpoint) {
	t.Helper()
	wait.For(t, fmt.Sprintf("%d endpoints are served, %d refused", wantServed, wantRefused), func() error {
		var list v1alpha1.WebhookEndpointList
		if err := cluster.Client.List(t.Context(), &list, client.InNamespace(namespace)); err != nil {
			return err
		}
		served, refused = nil, nil
		for i := range list.Items {
			endpoint := &list.Items[i]
			ready := apimeta.FindStatusCondition(endpoint.Status.Conditions, v1alpha1.ConditionReady)
			switch {
			case ready == nil:
			case ready.Status == metav1.ConditionTrue:
				served = append(served, endpoint)
			case ready.Reason == v1alpha1.ReasonNamespaceLimitExceeded:
				refused = append(refused, endpoint)
			}
		}
		if len(served) != wantServed || len(refused) != wantRefused {
			return fmt.Errorf("%d are served, %d refused", len(served), len(refused))
		}
		return nil
	})
	return served, refused
}
