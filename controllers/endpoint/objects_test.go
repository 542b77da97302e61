package endpoint_test

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/meta"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/test/wait"
)

// github is the smallest useful endpoint, with what it refers to.
func github(namespace string) *v1alpha1.WebhookEndpoint {
	return &v1alpha1.WebhookEndpoint{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "github"},
		Spec: v1alpha1.WebhookEndpointSpec{
			Source:    v1alpha1.Source{Provider: "github"},
			SecretRef: v1alpha1.SecretKeysReference{Name: "github"},
			Targets: []v1alpha1.Target{{
				Service: v1alpha1.ServiceReference{Name: "builder", Port: intstr.FromInt32(80)},
			}},
		},
	}
}

func secret(namespace, name string, data map[string]string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, StringData: data}
}

func service(namespace, name string) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{
			Name: "http", Port: 80, TargetPort: intstr.FromInt32(8080),
		}}},
	}
}

// settled creates a working endpoint and waits until it is served.
func settled(t *testing.T, namespace string) *v1alpha1.WebhookEndpoint {
	t.Helper()
	endpoint := github(namespace)
	cluster.Create(t, secret(namespace, "github", map[string]string{"secret": "one"}), service(namespace, "builder"),
		endpoint)
	waitReady(t, endpoint)
	return endpoint
}

// waitReady waits until the endpoint is Ready with its newest spec.
func waitReady(t *testing.T, endpoint *v1alpha1.WebhookEndpoint) {
	t.Helper()
	waitCondition(t, endpoint, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ConditionReady)
}

func waitCondition(
	t *testing.T, endpoint *v1alpha1.WebhookEndpoint, conditionType string, status metav1.ConditionStatus, reason string,
) *metav1.Condition {
	t.Helper()
	return waitConditionBy(t, func() {}, endpoint, conditionType, status, reason)
}

// waitConditionBy calls meanwhile as long as the condition is another.
func waitConditionBy(
	t *testing.T, meanwhile func(), endpoint *v1alpha1.WebhookEndpoint,
	conditionType string, status metav1.ConditionStatus, reason string,
) *metav1.Condition {
	t.Helper()
	var condition *metav1.Condition
	wait.For(t, fmt.Sprintf("%s=%s/%s of %s", conditionType, status, reason, endpoint.Name), func() error {
		cluster.Get(t, endpoint)
		condition = apimeta.FindStatusCondition(endpoint.Status.Conditions, conditionType)
		if condition == nil || condition.Status != status || condition.Reason != reason ||
			condition.ObservedGeneration != endpoint.Generation {
			meanwhile()
			return fmt.Errorf("generation %d has the conditions %+v", endpoint.Generation, endpoint.Status.Conditions)
		}
		return nil
	})
	return condition
}

// routeOf is the route of an endpoint as a receiver would load it; nil if there is none.
func routeOf(t *testing.T, endpoint *v1alpha1.WebhookEndpoint) *route.Endpoint {
	t.Helper()
	secret := routeSecret(endpoint)
	err := cluster.Client.Get(t.Context(), types.NamespacedName{Namespace: secret.Namespace, Name: secret.Name}, secret)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := route.Unmarshal(secret.Data[meta.RouteKey])
	if err != nil {
		t.Fatalf("route of %s: %v", endpoint.Name, err)
	}
	return loaded
}

// routeSecret names the Secret that holds the route of an endpoint.
func routeSecret(endpoint *v1alpha1.WebhookEndpoint) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
		Namespace: meta.DefaultNamespace, Name: meta.RouteName(endpoint.UID),
	}}
}

func waitRoute(t *testing.T, what string, endpoint *v1alpha1.WebhookEndpoint, check func(*route.Endpoint) bool) {
	t.Helper()
	wait.For(t, what, func() error {
		if loaded := routeOf(t, endpoint); !check(loaded) {
			return fmt.Errorf("the route is %+v", loaded)
		}
		return nil
	})
}

func gone(endpoint *route.Endpoint) bool { return endpoint == nil }
