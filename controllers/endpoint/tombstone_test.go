package endpoint_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/controltest"
	"github.com/postern-dev/postern/controllers/meta"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/test/wait"
)

// tombstoneOf returns the tombstone of an endpoint, nil when it has none.
func tombstoneOf(t *testing.T, endpoint *v1alpha1.WebhookEndpoint) *route.Tombstone {
	t.Helper()
	var secret corev1.Secret
	key := client.ObjectKey{Namespace: meta.DefaultNamespace, Name: meta.TombstoneName(endpoint.UID)}
	if err := cluster.Client.Get(t.Context(), key, &secret); apierrors.IsNotFound(err) {
		return nil
	} else if err != nil {
		t.Fatal(err)
	}
	if secret.Labels[meta.LabelTombstone] != meta.LabelTrue || secret.Type != meta.SecretTypeTombstone {
		t.Errorf("the tombstone has labels %v and type %s", secret.Labels, secret.Type)
	}
	tombstone, err := route.UnmarshalTombstone(secret.Data[meta.TombstoneKey])
	if err != nil {
		t.Fatal(err)
	}
	return tombstone
}

func waitTombstone(t *testing.T, endpoint *v1alpha1.WebhookEndpoint) {
	t.Helper()
	wait.For(t, "the endpoint has its tombstone", func() error {
		if tombstoneOf(t, endpoint) == nil {
			return errUnchanged
		}
		return nil
	})
	if got := tombstoneOf(t, endpoint); got.UID != string(endpoint.UID) || got.Namespace != endpoint.Namespace ||
		got.Name != endpoint.Name || got.DeletedAt.IsZero() {
		t.Errorf("the tombstone is %+v", got)
	}
}

// TestTombstoneIsThereBeforeTheEndpointGoes: once the object is gone, nothing but
// the tombstone knows its UID.
func TestTombstoneIsThereBeforeTheEndpointGoes(t *testing.T) {
	t.Parallel()
	endpoint := settled(t, cluster.Namespace(t))
	if tombstoneOf(t, endpoint) != nil {
		t.Fatal("an endpoint that exists has a tombstone")
	}
	cluster.Delete(t, endpoint)
	gone := endpoint.DeepCopy()
	waitGone(t, gone)
	if tombstoneOf(t, endpoint) == nil {
		t.Error("the endpoint is gone and has no tombstone")
	}
	waitTombstone(t, endpoint)
}

// TestTombstoneOfAnEndpointWithoutItsFinalizer: its route is what tells of it.
func TestTombstoneOfAnEndpointWithoutItsFinalizer(t *testing.T) {
	t.Parallel()
	endpoint := settled(t, cluster.Namespace(t))
	cluster.Delete(t, service(endpoint.Namespace, "builder"))
	wait.For(t, "the endpoint goes without its finalizer", func() error {
		forced := endpoint.DeepCopy()
		if err := cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(endpoint), forced); err != nil {
			return client.IgnoreNotFound(err)
		}
		forced.Finalizers = nil
		if err := cluster.Client.Update(t.Context(), forced); err != nil {
			return err
		}
		return client.IgnoreNotFound(cluster.Client.Delete(t.Context(), forced))
	})
	waitRoute(t, "the route is gone", endpoint, gone)
	waitTombstone(t, endpoint)
}

// TestNoTombstoneOfAnEndpointThatExists: whatever is done to routes by hand.
func TestNoTombstoneOfAnEndpointThatExists(t *testing.T) {
	t.Parallel()
	namespace := cluster.Namespace(t)
	endpoint := settled(t, namespace)
	hash := endpoint.Status.RouteHash
	whole := func(loaded *route.Endpoint) bool { return loaded != nil && loaded.Hash() == hash }
	deleted, stored := routeSecret(endpoint), routeSecret(endpoint)
	cluster.Get(t, deleted)
	cluster.Delete(t, routeSecret(endpoint))
	wait.For(t, "a deleted route comes back", func() error {
		err := cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(stored), stored)
		if err == nil && stored.UID == deleted.UID {
			err = errUnchanged
		}
		return err
	})
	waitRoute(t, "the new route is whole", endpoint, whole)

	for _, owner := range []string{namespace + "/nobody", "nonsense"} {
		controltest.Change(t, cluster, stored, func(s *corev1.Secret) { s.Annotations[meta.AnnotationEndpoint] = owner })
		wait.For(t, "the route names its endpoint again", func() error {
			err := cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(stored), stored)
			if err == nil && stored.Annotations[meta.AnnotationEndpoint] != namespace+"/github" {
				err = errUnchanged
			}
			return err
		})
	}
	waitRoute(t, "the route is whole", endpoint, whole)
	controltest.Change(t, cluster, endpoint, func(e *v1alpha1.WebhookEndpoint) { e.Spec.EventType = "body." })
	waitCondition(t, endpoint, v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonInvalidExpression)
	if tombstoneOf(t, endpoint) != nil {
		t.Error("an endpoint that exists has a tombstone")
	}
}
