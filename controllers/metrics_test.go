package controllers

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postern-dev/postern/api/v1alpha1"
)

func endpointWith(name string, status metav1.ConditionStatus, reason string) v1alpha1.WebhookEndpoint {
	endpoint := v1alpha1.WebhookEndpoint{ObjectMeta: metav1.ObjectMeta{Namespace: "ci", Name: name}}
	if status != "" {
		endpoint.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: status, Reason: reason}}
	}
	return endpoint
}

func someObjects(context.Context) (objects, error) {
	receiver := v1alpha1.WebhookReceiver{ObjectMeta: metav1.ObjectMeta{Namespace: "postern-system", Name: "default"}}
	receiver.Status.Conditions = []metav1.Condition{
		{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: v1alpha1.ConditionReady},
	}
	return objects{
		endpoints: []v1alpha1.WebhookEndpoint{
			endpointWith("github", metav1.ConditionTrue, v1alpha1.ConditionReady),
			endpointWith("stripe", metav1.ConditionTrue, v1alpha1.ConditionReady),
			endpointWith("slack", metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound),
			endpointWith("new", "", ""),
		},
		receivers: []v1alpha1.WebhookReceiver{receiver},
	}, nil
}

func TestReadiness(t *testing.T) {
	t.Parallel()
	const want = `
# HELP postern_endpoint_ready 1 while a WebhookEndpoint is ready, with the reason of its Ready condition.
# TYPE postern_endpoint_ready gauge
postern_endpoint_ready{endpoint="github",namespace="ci",reason="Ready"} 1
postern_endpoint_ready{endpoint="new",namespace="ci",reason="Pending"} 0
postern_endpoint_ready{endpoint="slack",namespace="ci",reason="SecretNotFound"} 0
postern_endpoint_ready{endpoint="stripe",namespace="ci",reason="Ready"} 1
# HELP postern_endpoints WebhookEndpoints by the status and reason of their Ready condition.
# TYPE postern_endpoints gauge
postern_endpoints{ready="False",reason="SecretNotFound"} 1
postern_endpoints{ready="True",reason="Ready"} 2
postern_endpoints{ready="Unknown",reason="Pending"} 1
# HELP postern_receiver_ready 1 while a WebhookReceiver is ready, with the reason of its Ready condition.
# TYPE postern_receiver_ready gauge
postern_receiver_ready{namespace="postern-system",reason="Ready",receiver="default"} 1
`
	collector := newReadiness(someObjects)
	if err := testutil.CollectAndCompare(collector, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
	problems, err := testutil.CollectAndLint(collector)
	if err != nil || len(problems) > 0 {
		t.Errorf("promlint: %v %v", problems, err)
	}
}

// What is documented is what is exported.
func TestMetricDefinitionsAreExported(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(newReadiness(someObjects))
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	exported := map[string]bool{}
	for _, family := range families {
		exported[family.GetName()] = true
	}
	for _, one := range MetricDefinitions() {
		if !exported[one.FullName()] {
			t.Errorf("%s is documented and not exported", one.FullName())
		}
	}
	if len(exported) != len(MetricDefinitions()) {
		t.Errorf("%d metrics are exported, %d documented", len(exported), len(MetricDefinitions()))
	}
}

func TestReadinessWithoutACacheIsSilent(t *testing.T) {
	t.Parallel()
	failing := func(context.Context) (objects, error) { return objects{}, errors.New("cache is not started") }
	if count := testutil.CollectAndCount(newReadiness(failing)); count != 0 {
		t.Errorf("%d series without a cache, want none", count)
	}
}
