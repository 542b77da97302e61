package endpoint_test

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/controltest"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/test/wait"
)

// pair creates a working endpoint and a younger one that asks for its path. The
// API server counts age in whole seconds; within one the name decides.
func pair(t *testing.T) (first, second *v1alpha1.WebhookEndpoint) {
	t.Helper()
	namespace := cluster.Namespace(t)
	first = settled(t, namespace)
	second = github(namespace)
	second.Name = "zz-late"
	second.Spec.Path = "/" + namespace + "/github"
	cluster.Create(t, second)
	return first, second
}

func TestPathConflict(t *testing.T) {
	t.Parallel()
	first, second := pair(t)
	condition := waitCondition(t, second, v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonPathConflict)
	requireContains(t, condition.Message, first.Namespace+"/github")
	if routeOf(t, second) != nil {
		t.Error("the loser has a route")
	}
	waitReady(t, first)

	cluster.Delete(t, first)
	waitGone(t, first)
	waitReady(t, second)
	if routeOf(t, second).Path != "/"+first.Namespace+"/github" {
		t.Error("the loser did not get the path that became free")
	}
}

func TestPathConflictEndsWithAMove(t *testing.T) {
	t.Parallel()
	first, second := pair(t)
	waitCondition(t, second, v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonPathConflict)
	controltest.Change(t, cluster, first, func(e *v1alpha1.WebhookEndpoint) {
		e.Spec.Path = "/" + e.Namespace + "/elsewhere"
	})
	waitReady(t, second)
	waitReady(t, first)
}

func TestDistinctHostsShareAPath(t *testing.T) {
	t.Parallel()
	first, second := pair(t)
	waitCondition(t, second, v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonPathConflict)
	for i, endpoint := range []*v1alpha1.WebhookEndpoint{first, second} {
		controltest.Change(t, cluster, endpoint, func(e *v1alpha1.WebhookEndpoint) {
			e.Spec.Hosts = []v1alpha1.Hostname{v1alpha1.Hostname(fmt.Sprintf("h%d.example.com", i))}
		})
	}
	waitReady(t, first)
	waitReady(t, second)
}

// TestOlderTakesOver: when the older endpoint moves onto the younger one's path,
// the younger one's route, which was good until then, gets no more requests. It
// stays, so that the events that were acknowledged reach their targets.
func TestOlderTakesOver(t *testing.T) {
	t.Parallel()
	namespace := cluster.Namespace(t)
	first := settled(t, namespace)
	second := github(namespace)
	second.Name = "zz-late"
	cluster.Create(t, second)
	waitReady(t, second)
	controltest.Change(t, cluster, first, func(e *v1alpha1.WebhookEndpoint) { e.Spec.Path = "/" + namespace + "/zz-late" })
	waitCondition(t, second, v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonPathConflict)
	waitRoute(t, "the younger one's route drains", second, draining)
	waitReady(t, first)
	requireContains(t, waitCondition(t, second, v1alpha1.ConditionAccepted, metav1.ConditionFalse,
		v1alpha1.ReasonPathConflict).Message, "take no new ones")
	controltest.Change(t, cluster, first, func(e *v1alpha1.WebhookEndpoint) { e.Spec.Path = "" })
	waitReady(t, second)
	waitRoute(t, "the younger one's route serves again", second, func(loaded *route.Endpoint) bool {
		return loaded != nil && !loaded.Draining
	})
}

// TestKeptRouteYields: a route that only goes on because its endpoint's new spec
// is refused gives way to an endpoint that asks for the path properly.
func TestKeptRouteYields(t *testing.T) {
	t.Parallel()
	namespace := cluster.Namespace(t)
	first := settled(t, namespace)
	controltest.Change(t, cluster, first, func(e *v1alpha1.WebhookEndpoint) {
		e.Spec.Path = "/" + namespace + "/moved"
		e.Spec.EventType = "body."
	})
	waitCondition(t, first, v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonInvalidExpression)
	if loaded := routeOf(t, first); loaded == nil || loaded.Path != "/"+namespace+"/github" {
		t.Fatalf("the last good route is not in force: %+v", loaded)
	}
	second := github(namespace)
	second.Name = "zz-late"
	second.Spec.Path = "/" + namespace + "/github"
	cluster.Create(t, second)
	waitReady(t, second)
	waitRoute(t, "the route that was kept drains", first, draining)
}

func draining(loaded *route.Endpoint) bool { return loaded != nil && loaded.Draining }

// TestSquattingIsImpossible: asking for a path of another namespace, however
// early, must not keep it from those whom it belongs to.
func TestSquattingIsImpossible(t *testing.T) {
	t.Parallel()
	victim := cluster.Namespace(t)
	squatter := github(cluster.Namespace(t))
	squatter.Name = "a-squatter"
	squatter.Spec.Path = "/" + victim + "/github"
	cluster.Create(t, squatter)
	waitCondition(t, squatter, v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonInvalidPath)
	// Age is counted in seconds: the squatter is to be the older one.
	wait.For(t, "a second passes", func() error {
		if time.Since(squatter.CreationTimestamp.Time) < 2*time.Second {
			return errUnchanged
		}
		return nil
	})
	endpoint := settled(t, victim)
	waitRoute(t, "the owner has its path", endpoint, func(loaded *route.Endpoint) bool {
		return loaded != nil && loaded.Path == "/"+victim+"/github"
	})
}
