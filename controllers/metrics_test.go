package controllers

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postern-dev/postern/api/v1alpha1"
)

func endpointWith(status metav1.ConditionStatus, reason string) v1alpha1.WebhookEndpoint {
	var endpoint v1alpha1.WebhookEndpoint
	endpoint.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: status, Reason: reason}}
	return endpoint
}

func TestEndpointsByReady(t *testing.T) {
	t.Parallel()
	four := func(context.Context) ([]v1alpha1.WebhookEndpoint, error) {
		return []v1alpha1.WebhookEndpoint{
			endpointWith(metav1.ConditionTrue, v1alpha1.ConditionReady),
			endpointWith(metav1.ConditionTrue, v1alpha1.ConditionReady),
			endpointWith(metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound),
			{},
		}, nil
	}
	const want = `# HELP postern_endpoints WebhookEndpoints by the status and reason of their Ready condition.
# TYPE postern_endpoints gauge
postern_endpoints{ready="False",reason="SecretNotFound"} 1
postern_endpoints{ready="True",reason="Ready"} 2
postern_endpoints{ready="Unknown",reason="Pending"} 1
`
	if err := testutil.CollectAndCompare(newEndpointsByReady(four), strings.NewReader(want)); err != nil {
		t.Error(err)
	}
	failing := func(context.Context) ([]v1alpha1.WebhookEndpoint, error) {
		return nil, errors.New("cache is not started")
	}
	if count := testutil.CollectAndCount(newEndpointsByReady(failing)); count != 0 {
		t.Errorf("%d series without a cache, want none", count)
	}
}
