package endpoint_test

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	gatewayv1beta1 "sigs.k8s.io/gateway-api/apis/v1beta1"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/receiver/route"
)

// TestGrant follows one target in another namespace through everything that
// can happen to consent, the kind's late installation included.
func TestGrant(t *testing.T) {
	t.Parallel()
	namespace, other := cluster.Namespace(t), cluster.Namespace(t)
	endpoint := github(namespace)
	endpoint.Spec.Targets[0].Service.Namespace = other
	cluster.Create(t, secret(namespace, "github", good), service(other, "builder"), endpoint)
	condition := waitCondition(t, endpoint, v1alpha1.ConditionTargetsResolved, metav1.ConditionFalse,
		v1alpha1.ReasonNotPermitted)
	requireContains(t, condition.Message, "ReferenceGrant")
	checkUnavailable(t, routeOf(t, endpoint), route.ReasonNoTarget)

	// Nothing tells that the kind was installed: the manager looks now and then.
	if err := cluster.InstallGrants(t.Context()); err != nil {
		t.Fatal(err)
	}
	grant := &gatewayv1beta1.ReferenceGrant{
		ObjectMeta: metav1.ObjectMeta{Namespace: other, Name: "hooks"},
		Spec: gatewayv1beta1.ReferenceGrantSpec{
			From: []gatewayv1.ReferenceGrantFrom{{
				Group: gatewayv1.Group(v1alpha1.GroupVersion.Group), Kind: v1alpha1.KindWebhookEndpoint,
				Namespace: gatewayv1.Namespace(namespace),
			}},
			To: []gatewayv1.ReferenceGrantTo{{Kind: "Service"}},
		},
	}
	cluster.Create(t, grant)
	waitReady(t, endpoint)
	if target := routeOf(t, endpoint).Targets[0]; target.Namespace != other {
		t.Errorf("the target is in %s, want %s", target.Namespace, other)
	}

	// From here on the watch brings the endpoint back at once.
	cluster.Delete(t, grant)
	waitCondition(t, endpoint, v1alpha1.ConditionTargetsResolved, metav1.ConditionFalse, v1alpha1.ReasonNotPermitted)
	waitRoute(t, "deliveries stop when consent is taken away", endpoint, func(loaded *route.Endpoint) bool {
		return loaded != nil && len(loaded.Targets) == 0
	})
	grant.ResourceVersion = ""
	cluster.Create(t, grant)
	waitReady(t, endpoint)
}
