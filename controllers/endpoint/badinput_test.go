package endpoint_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/controltest"
	"github.com/postern-dev/postern/receiver/route"
)

// badInput is an endpoint that names something that is not there or not
// allowed, and the exact answer to it.
type badInput struct {
	// change spoils a good endpoint before it is created.
	change func(*v1alpha1.WebhookEndpoint)
	// secret and service replace what the endpoint refers to; nil leaves it out.
	secret  map[string]string
	service *corev1.Service

	condition string
	reason    string
	message   string
	// unavailable is what the route answers with; "none" means that there is no
	// route, empty that it serves.
	unavailable string
}

var good = map[string]string{"secret": "one"}

func builder(change func(*corev1.Service)) *corev1.Service {
	object := service("", "builder")
	if change != nil {
		change(object)
	}
	return object
}

var badInputs = map[string]badInput{
	"missing secret": {
		service:   builder(nil),
		condition: v1alpha1.ConditionSecretsResolved, reason: v1alpha1.ReasonSecretNotFound,
		message: "there is no Secret github", unavailable: route.ReasonSecretUnavailable,
	},
	"missing key": {
		secret: map[string]string{"token": "one"}, service: builder(nil),
		condition: v1alpha1.ConditionSecretsResolved, reason: v1alpha1.ReasonKeyNotFound,
		message: `has no key "secret"`, unavailable: route.ReasonSecretUnavailable,
	},
	"empty secret": {
		secret: map[string]string{"secret": ""}, service: builder(nil),
		condition: v1alpha1.ConditionSecretsResolved, reason: v1alpha1.ReasonEmptySecret,
		message: "is empty", unavailable: route.ReasonSecretUnavailable,
	},
	"missing service": {
		secret:    good,
		condition: v1alpha1.ConditionTargetsResolved, reason: v1alpha1.ReasonServiceNotFound,
		message: "events queue until it exists",
	},
	"missing port": {
		secret: good, service: builder(func(s *corev1.Service) { s.Spec.Ports[0].Port = 81 }),
		condition: v1alpha1.ConditionTargetsResolved, reason: v1alpha1.ReasonPortNotFound,
		message: "it has 81 (http)",
	},
	"external name": {
		secret: good,
		service: builder(func(s *corev1.Service) {
			s.Spec = corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "metadata.example.com"}
		}),
		condition: v1alpha1.ConditionTargetsResolved, reason: v1alpha1.ReasonExternalNameForbidden,
		message: "ExternalName", unavailable: route.ReasonNoTarget,
	},
	"API server": {
		change: func(e *v1alpha1.WebhookEndpoint) {
			e.Spec.Targets = append(e.Spec.Targets, v1alpha1.Target{Name: "api", Service: v1alpha1.ServiceReference{
				Namespace: "default", Name: "kubernetes", Port: intstr.FromInt32(443),
			}})
		},
		secret: good, service: builder(nil),
		condition: v1alpha1.ConditionTargetsResolved, reason: v1alpha1.ReasonNotPermitted,
		message: "has not consented",
	},
	"path of another namespace": {
		change: func(e *v1alpha1.WebhookEndpoint) { e.Spec.Path = "/kube-system/github" },
		secret: good, service: builder(nil),
		condition: v1alpha1.ConditionAccepted, reason: v1alpha1.ReasonInvalidPath,
		message: "the prefix of its namespace", unavailable: "none",
	},
	"unknown provider": {
		change: func(e *v1alpha1.WebhookEndpoint) { e.Spec.Source.Provider = "gitbuh" },
		secret: good, service: builder(nil),
		condition: v1alpha1.ConditionAccepted, reason: v1alpha1.ReasonUnknownProvider,
		message: "gitbuh", unavailable: "none",
	},
	"expression that does not compile": {
		change: func(e *v1alpha1.WebhookEndpoint) { e.Spec.Targets[0].When = "body.ref ==" },
		secret: good, service: builder(nil),
		condition: v1alpha1.ConditionAccepted, reason: v1alpha1.ReasonInvalidExpression,
		message: "spec.targets[0].when", unavailable: "none",
	},
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	for name, in := range badInputs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			namespace := cluster.Namespace(t)
			endpoint := github(namespace)
			if in.change != nil {
				in.change(endpoint)
			}
			if in.secret != nil {
				cluster.Create(t, secret(namespace, "github", in.secret))
			}
			if in.service != nil {
				object := in.service.DeepCopy()
				object.Namespace = namespace
				cluster.Create(t, object)
			}
			cluster.Create(t, endpoint)

			condition := waitCondition(t, endpoint, in.condition, metav1.ConditionFalse, in.reason)
			requireContains(t, condition.Message, in.message)
			waitCondition(t, endpoint, v1alpha1.ConditionReady, metav1.ConditionFalse, in.reason)
			checkUnavailable(t, routeOf(t, endpoint), in.unavailable)
		})
	}
}

func checkUnavailable(t *testing.T, loaded *route.Endpoint, want string) {
	t.Helper()
	switch {
	case want == "none":
		if loaded != nil {
			t.Errorf("there is a route: %+v", loaded)
		}
	case loaded == nil:
		t.Error("there is no route")
	case want == "" && loaded.Unavailable != nil:
		t.Errorf("the route answers %+v, want it to serve", loaded.Unavailable)
	case want != "" && (loaded.Unavailable == nil || loaded.Unavailable.Reason != want):
		t.Errorf("the route answers %+v, want %s", loaded.Unavailable, want)
	}
}

// TestRepair proves that each cause, once put right, needs no touch of the endpoint.
func TestRepair(t *testing.T) {
	t.Parallel()
	t.Run("secret", func(t *testing.T) {
		t.Parallel()
		namespace := cluster.Namespace(t)
		endpoint := github(namespace)
		cluster.Create(t, service(namespace, "builder"), endpoint)
		waitCondition(t, endpoint, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
		cluster.Create(t, secret(namespace, "github", good))
		waitReady(t, endpoint)
	})
	t.Run("service", func(t *testing.T) {
		t.Parallel()
		namespace := cluster.Namespace(t)
		endpoint := github(namespace)
		cluster.Create(t, secret(namespace, "github", good), endpoint)
		waitCondition(t, endpoint, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonServiceNotFound)
		cluster.Create(t, service(namespace, "builder"))
		waitReady(t, endpoint)
	})
	t.Run("signing secret", func(t *testing.T) {
		t.Parallel()
		namespace := cluster.Namespace(t)
		endpoint := github(namespace)
		endpoint.Spec.Targets[0].SigningSecretRef = v1alpha1.SecretKeyReference{Name: "signing"}
		cluster.Create(t, secret(namespace, "github", good), service(namespace, "builder"), endpoint)
		waitCondition(t, endpoint, v1alpha1.ConditionSecretsResolved, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
		cluster.Create(t, secret(namespace, "signing", map[string]string{"secret": "whsec_c2VjcmV0c2VjcmV0c2VjcmV0"}))
		waitReady(t, endpoint)
		if len(routeOf(t, endpoint).Targets[0].SigningKey) == 0 {
			t.Error("the route's target has no signing key")
		}
	})
}

// TestBrokenEdit: an edit that is not accepted leaves the last good route.
func TestBrokenEdit(t *testing.T) {
	t.Parallel()
	endpoint := settled(t, cluster.Namespace(t))
	good := endpoint.Status.RouteHash
	generation := endpoint.Generation
	controltest.Change(t, cluster, endpoint, func(e *v1alpha1.WebhookEndpoint) { e.Spec.EventType = "body." })
	condition := waitCondition(t, endpoint, v1alpha1.ConditionAccepted, metav1.ConditionFalse,
		v1alpha1.ReasonInvalidExpression)
	requireContains(t, condition.Message, "receivers go on with the route of generation")
	if loaded := routeOf(t, endpoint); loaded == nil || loaded.Hash() != good || loaded.Generation != generation {
		t.Errorf("the last good route is no longer in force: %+v", loaded)
	}
	if endpoint.Status.RouteHash != good {
		t.Errorf("status.routeHash is %q, want that of the route that goes on, %q", endpoint.Status.RouteHash, good)
	}
	controltest.Change(t, cluster, endpoint, func(e *v1alpha1.WebhookEndpoint) { e.Spec.EventType = "body.type" })
	waitReady(t, endpoint)
}

func TestNotEnforced(t *testing.T) {
	t.Parallel()
	namespace := cluster.Namespace(t)
	endpoint := github(namespace)
	endpoint.Spec.Source.Provider = "none"
	endpoint.Spec.SecretRef = v1alpha1.SecretKeysReference{}
	cluster.Create(t, service(namespace, "builder"), endpoint)
	waitCondition(t, endpoint, v1alpha1.ConditionEnforced, metav1.ConditionFalse, v1alpha1.ReasonNotVerified)
	waitReady(t, endpoint)

	audited := settled(t, cluster.Namespace(t))
	controltest.Change(t, cluster, audited, func(e *v1alpha1.WebhookEndpoint) {
		e.Spec.Source.Enforcement = v1alpha1.EnforcementAudit
	})
	waitCondition(t, audited, v1alpha1.ConditionEnforced, metav1.ConditionFalse, v1alpha1.ReasonAuditOnly)
	waitReady(t, audited)
}
