package endpoint_test

import (
	"context"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers"
	"github.com/postern-dev/postern/controllers/controltest"
	"github.com/postern-dev/postern/controllers/meta"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/test/wait"
)

// second starts a manager with a system namespace of its own, which serves only
// the returned tenants' namespace, until the test ends.
func second(t *testing.T, options controllers.Options) (system, tenant string) {
	t.Helper()
	system, tenant = cluster.Namespace(t), cluster.Namespace(t)
	options.Namespace, options.WatchNamespaces, options.Image = system, []string{tenant}, "postern:test"
	ctx, cancel := context.WithCancel(context.Background())
	ended, err := manage(ctx, options)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("manager: %v", err)
		}
	})
	return system, tenant
}

// nudge returns what brings an endpoint back to the manager of one system
// namespace alone. The suite's own manager serves every tenant too; whichever
// of the two wrote the status last would else have the last word.
func nudge(t *testing.T, system string, endpoint *v1alpha1.WebhookEndpoint) func() {
	t.Helper()
	touched := 0
	return func() {
		secret := routeSecret(endpoint)
		secret.Namespace = system
		touched++
		patch := fmt.Appendf(nil, `{"metadata":{"annotations":{"example.com/touched":"%d"}}}`, touched)
		err := cluster.Client.Patch(t.Context(), secret, client.RawPatch(types.MergePatchType, patch))
		if client.IgnoreNotFound(err) != nil {
			t.Fatal(err)
		}
	}
}

// pod is a receiver pod whose containers answer on loopback.
func pod(system, name string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: name, Labels: meta.ReceiverLabels(meta.DefaultReceiver)},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "receiver", Image: "postern:test"}}},
	}
}

func setReady(t *testing.T, p *corev1.Pod, ready corev1.ConditionStatus) {
	t.Helper()
	cluster.Get(t, p)
	p.Status.PodIP = "127.0.0.1"
	p.Status.PodIPs = []corev1.PodIP{{IP: "127.0.0.1"}}
	p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: ready}}
	if err := cluster.Client.Status().Update(t.Context(), p); err != nil {
		t.Fatal(err)
	}
}

// TestPods follows Programmed through the life of receiver pods.
func TestPods(t *testing.T) {
	t.Parallel()
	own := controltest.NewReceiver(cluster, "")
	t.Cleanup(own.Close)
	system, tenant := second(t, controllers.Options{ReceiverPort: own.Port()})
	own.SetNamespace(system)

	endpoint := github(tenant)
	cluster.Create(t, secret(tenant, "github", good), service(tenant, "builder"), endpoint)
	again := nudge(t, system, endpoint)
	waitConditionBy(t, again, endpoint, v1alpha1.ConditionProgrammed, metav1.ConditionFalse, v1alpha1.ReasonNoReceiver)
	cluster.Create(t, &v1alpha1.WebhookReceiver{
		ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: meta.DefaultReceiver},
	})
	waitConditionBy(t, again, endpoint, v1alpha1.ConditionProgrammed, metav1.ConditionFalse, v1alpha1.ReasonNoReceiverPods)

	first := pod(system, "receiver-1")
	cluster.Create(t, first)
	setReady(t, first, corev1.ConditionFalse)
	waitConditionBy(t, again, endpoint, v1alpha1.ConditionProgrammed, metav1.ConditionFalse, v1alpha1.ReasonNoReceiverPods)
	setReady(t, first, corev1.ConditionTrue)
	waitConditionBy(t, again, endpoint,
		v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ConditionReady)

	setReady(t, first, corev1.ConditionFalse)
	waitConditionBy(t, again, endpoint, v1alpha1.ConditionProgrammed, metav1.ConditionFalse, v1alpha1.ReasonNoReceiverPods)
	own.Hold(endpoint.UID, true)
	setReady(t, first, corev1.ConditionTrue)
	condition := waitConditionBy(t, again, endpoint, v1alpha1.ConditionProgrammed, metav1.ConditionFalse,
		v1alpha1.ReasonProgramming)
	requireContains(t, condition.Message, "pod receiver-1")
	own.Hold(endpoint.UID, false)
	waitConditionBy(t, again, endpoint,
		v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ConditionReady)
}

// TestNotReadyReceiver: a receiver that is reached by URL and says that it is
// not ready confirms nothing, whatever it has loaded.
func TestNotReadyReceiver(t *testing.T) {
	t.Parallel()
	own := controltest.NewReceiver(cluster, "")
	t.Cleanup(own.Close)
	own.SetNotReady(route.CauseStoreUnavailable, "store: LOADING")
	system, tenant := second(t, controllers.Options{ReceiverURLs: []string{own.URL() + "/"}})
	own.SetNamespace(system)
	endpoint := github(tenant)
	cluster.Create(t, secret(tenant, "github", good), service(tenant, "builder"), endpoint)
	again := nudge(t, system, endpoint)
	waitConditionBy(t, again, endpoint, v1alpha1.ConditionProgrammed, metav1.ConditionFalse, v1alpha1.ReasonNoReceiver)
	own.SetNotReady("", "")
	waitConditionBy(t, again, endpoint,
		v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ConditionReady)
}

// TestOtherNamespacesAreLeftAlone: a manager that is told which namespaces to
// watch serves no other.
func TestOtherNamespacesAreLeftAlone(t *testing.T) {
	t.Parallel()
	own := controltest.NewReceiver(cluster, "")
	t.Cleanup(own.Close)
	system, tenant := second(t, controllers.Options{ReceiverURLs: []string{own.URL()}})
	own.SetNamespace(system)
	elsewhere := settled(t, cluster.Namespace(t)) // by the manager that watches everything
	endpoint := github(tenant)
	cluster.Create(t, secret(tenant, "github", good), service(tenant, "builder"), endpoint)
	waitRoutes(t, system, 1)
	other := routeSecret(elsewhere)
	other.Namespace = system
	if err := cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(other), other); err == nil {
		t.Error("a namespace that is not watched has a route")
	}
}

// waitRoutes waits until the namespace has exactly that many routes and an
// index that agrees.
func waitRoutes(t *testing.T, system string, count int) {
	t.Helper()
	wait.For(t, fmt.Sprintf("%s has %d routes", system, count), func() error {
		var secrets corev1.SecretList
		err := cluster.Client.List(t.Context(), &secrets, client.InNamespace(system),
			client.MatchingLabels{meta.LabelRoute: meta.LabelTrue})
		if err != nil {
			return err
		}
		if len(secrets.Items) != count {
			return fmt.Errorf("it has %d", len(secrets.Items))
		}
		return indexAgrees(t.Context(), system, secrets.Items)
	})
}

// TestEvents: what happens to Ready is told once, where kubectl describe shows it.
func TestEvents(t *testing.T) {
	t.Parallel()
	namespace := cluster.Namespace(t)
	endpoint := settled(t, namespace)
	cluster.Delete(t, secret(namespace, "github", nil))
	waitCondition(t, endpoint, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
	wait.For(t, "the events are recorded", func() error {
		var events eventsv1.EventList
		if err := cluster.Client.List(t.Context(), &events, client.InNamespace(namespace)); err != nil {
			return err
		}
		seen := map[string]string{}
		for _, event := range events.Items {
			if event.Regarding.UID == endpoint.UID {
				seen[event.Reason] = event.Type
			}
		}
		if seen[v1alpha1.ConditionReady] != corev1.EventTypeNormal ||
			seen[v1alpha1.ReasonSecretNotFound] != corev1.EventTypeWarning {
			return fmt.Errorf("seen are %v", seen)
		}
		if len(seen) != 2 {
			return fmt.Errorf("seen are %v, want one for Ready and one for the Secret", seen)
		}
		return nil
	})
}
