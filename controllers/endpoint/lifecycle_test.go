package endpoint_test

import (
	"slices"
	"testing"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/controltest"
	"github.com/postern-dev/postern/controllers/meta"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/test/wait"
)

func TestServes(t *testing.T) {
	t.Parallel()
	namespace := cluster.Namespace(t)
	endpoint := settled(t, namespace)

	if want := externalURL + "/" + namespace + "/github"; endpoint.Status.URL != want {
		t.Errorf("status.url is %q, want %q", endpoint.Status.URL, want)
	}
	loaded := routeOf(t, endpoint)
	if loaded == nil || endpoint.Status.RouteHash != loaded.Hash() {
		t.Fatalf("status.routeHash is %q and the route %+v", endpoint.Status.RouteHash, loaded)
	}
	if len(loaded.Keys) != 1 || string(loaded.Keys[0].Value) != "one" {
		t.Errorf("the route's key is not the Secret's")
	}
	for _, condition := range []string{
		v1alpha1.ConditionAccepted, v1alpha1.ConditionSecretsResolved, v1alpha1.ConditionTargetsResolved,
		v1alpha1.ConditionProgrammed, v1alpha1.ConditionEnforced, v1alpha1.ConditionReady,
	} {
		if !apimeta.IsStatusConditionTrue(endpoint.Status.Conditions, condition) {
			t.Errorf("%s is not True: %+v", condition, endpoint.Status.Conditions)
		}
	}
	secret := routeSecret(endpoint)
	cluster.Get(t, secret)
	if secret.Type != meta.SecretTypeRoute || secret.Labels[meta.LabelRoute] != meta.LabelTrue ||
		secret.Annotations[meta.AnnotationEndpoint] != namespace+"/github" ||
		secret.Annotations[meta.AnnotationRouteHash] != loaded.Hash() {
		t.Errorf("route Secret is not as the receivers expect: %s, %v, %v", secret.Type, secret.Labels, secret.Annotations)
	}
}

// TestReadyMeansLoaded holds the route back at the receiver: as long as it has
// not loaded it, nothing may say Ready.
func TestReadyMeansLoaded(t *testing.T) {
	t.Parallel()
	namespace := cluster.Namespace(t)
	endpoint := settled(t, namespace)
	receiver.Hold(endpoint.UID, true)
	controltest.Change(t, cluster, endpoint, func(e *v1alpha1.WebhookEndpoint) { e.Spec.MaxBodyBytes = 4096 })
	waitCondition(t, endpoint, v1alpha1.ConditionProgrammed, metav1.ConditionFalse, v1alpha1.ReasonProgramming)
	if apimeta.IsStatusConditionTrue(endpoint.Status.Conditions, v1alpha1.ConditionReady) {
		t.Error("Ready is True before the receiver has loaded the route")
	}
	receiver.Hold(endpoint.UID, false)
	waitReady(t, endpoint)
	if loaded := routeOf(t, endpoint); loaded.MaxBodyBytes != 4096 || loaded.Generation != endpoint.Generation {
		t.Errorf("the route is of generation %d with %d bytes", loaded.Generation, loaded.MaxBodyBytes)
	}
}

func TestRouteRejected(t *testing.T) {
	t.Parallel()
	namespace := cluster.Namespace(t)
	endpoint := settled(t, namespace)
	receiver.Reject(endpoint.UID, "schema version 9 is too new")
	controltest.Change(t, cluster, endpoint, func(e *v1alpha1.WebhookEndpoint) { e.Spec.MaxBodyBytes = 4096 })
	condition := waitCondition(t, endpoint, v1alpha1.ConditionProgrammed, metav1.ConditionFalse,
		v1alpha1.ReasonRouteRejected)
	requireContains(t, condition.Message, "schema version 9 is too new")
	receiver.Reject(endpoint.UID, "")
	waitReady(t, endpoint)
}

func TestRotation(t *testing.T) {
	t.Parallel()
	namespace := cluster.Namespace(t)
	endpoint := settled(t, namespace)
	before := endpoint.Status.RouteHash
	stored := secret(namespace, "github", nil)
	cluster.Get(t, stored)
	stored.StringData = map[string]string{"secret": "two"}
	if err := cluster.Client.Update(t.Context(), stored); err != nil {
		t.Fatal(err)
	}
	waitRoute(t, "the new key is in the route", endpoint, func(loaded *route.Endpoint) bool {
		return loaded != nil && len(loaded.Keys) == 1 && string(loaded.Keys[0].Value) == "two"
	})
	wait.For(t, "status names the new route", func() error {
		waitReady(t, endpoint)
		if endpoint.Status.RouteHash == before {
			return errUnchanged
		}
		return nil
	})
}

// TestSecretDeleted: without its Secret a route answers 503; it does not vanish.
func TestSecretDeleted(t *testing.T) {
	t.Parallel()
	namespace := cluster.Namespace(t)
	endpoint := settled(t, namespace)
	cluster.Delete(t, secret(namespace, "github", nil))
	waitCondition(t, endpoint, v1alpha1.ConditionSecretsResolved, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
	loaded := routeOf(t, endpoint)
	if loaded == nil || loaded.Unavailable == nil || loaded.Unavailable.Reason != route.ReasonSecretUnavailable {
		t.Errorf("the route is %+v, want it to answer %s", loaded, route.ReasonSecretUnavailable)
	}
	if len(loaded.Keys) != 0 {
		t.Error("the deleted key is still in the route")
	}
	cluster.Create(t, secret(namespace, "github", map[string]string{"secret": "again"}))
	waitReady(t, endpoint)
}

func TestHandEditsAreReverted(t *testing.T) {
	t.Parallel()
	namespace := cluster.Namespace(t)
	endpoint := settled(t, namespace)
	hash := endpoint.Status.RouteHash
	whole := func(loaded *route.Endpoint) bool { return loaded != nil && loaded.Hash() == hash }

	forged := routeOf(t, endpoint)
	forged.AllowedIPRanges = []string{"0.0.0.0/0"}
	document, err := forged.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	stored := routeSecret(endpoint)
	cluster.Get(t, stored)
	stored.Data[meta.RouteKey] = document
	if err := cluster.Client.Update(t.Context(), stored); err != nil {
		t.Fatal(err)
	}
	waitRoute(t, "a forged route is replaced", endpoint, whole)

	cluster.Delete(t, routeSecret(endpoint))
	waitRoute(t, "a deleted route comes back", endpoint, whole)

	// Without its labels the Secret is in no cache any more.
	cluster.Get(t, stored)
	stored.Labels = nil
	if err := cluster.Client.Update(t.Context(), stored); err != nil {
		t.Fatal(err)
	}
	wait.For(t, "removed labels come back", func() error {
		cluster.Get(t, stored)
		if stored.Labels[meta.LabelRoute] != meta.LabelTrue {
			return errUnchanged
		}
		return nil
	})
}

func TestDeletionRemovesTheRoute(t *testing.T) {
	t.Parallel()
	namespace := cluster.Namespace(t)
	endpoint := settled(t, namespace)
	if !slices.Contains(endpoint.Finalizers, meta.FinalizerRoute) {
		t.Errorf("finalizers are %v, want %s", endpoint.Finalizers, meta.FinalizerRoute)
	}
	cluster.Delete(t, endpoint)
	waitRoute(t, "the route is gone", endpoint, gone)
	waitGone(t, endpoint)
}

// TestOrphanIsRemoved: an endpoint deleted by force leaves a route that nobody
// would ever remove otherwise.
func TestOrphanIsRemoved(t *testing.T) {
	t.Parallel()
	namespace := cluster.Namespace(t)
	endpoint := settled(t, namespace)
	orphan := routeSecret(endpoint)
	cluster.Get(t, orphan)
	copied := orphan.DeepCopy()
	copied.ObjectMeta = metav1.ObjectMeta{
		Namespace: meta.DefaultNamespace, Name: "route-of-nobody-" + namespace, Labels: meta.RouteLabels(),
		Annotations: map[string]string{meta.AnnotationEndpoint: namespace + "/nobody"},
	}
	cluster.Create(t, copied)
	waitGone(t, copied)
	if routeOf(t, endpoint) == nil {
		t.Error("the route of the endpoint that exists is gone too")
	}
}

func TestRecreatedEndpointHasItsOwnRoute(t *testing.T) {
	t.Parallel()
	namespace := cluster.Namespace(t)
	first := settled(t, namespace)
	cluster.Delete(t, first)
	waitGone(t, first)
	second := github(namespace)
	cluster.Create(t, second)
	waitReady(t, second)
	if routeOf(t, first) != nil || routeOf(t, second) == nil {
		t.Error("the route of the first endpoint is still there, or that of the second is not")
	}
}

func TestSuspend(t *testing.T) {
	t.Parallel()
	endpoint := settled(t, cluster.Namespace(t))
	controltest.Change(t, cluster, endpoint, func(e *v1alpha1.WebhookEndpoint) { e.Spec.Suspend = true })
	waitCondition(t, endpoint, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonSuspended)
	if !routeOf(t, endpoint).Suspend {
		t.Error("the route does not suspend")
	}
}
