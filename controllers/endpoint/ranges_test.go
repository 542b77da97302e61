package endpoint_test

import (
	"net/http"
	"slices"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/controltest"
	"github.com/postern-dev/postern/receiver/route"
)

// published stands in for the providers' lists.
var published lists

type lists struct {
	mu      sync.Mutex
	serving bool
}

func (l *lists) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case r.URL.Path == "/own" && !l.serving:
		http.Error(w, "down", http.StatusServiceUnavailable)
	case r.URL.Path == "/own":
		_, _ = w.Write([]byte(`["203.0.113.0/24"]`))
	default:
		_, _ = w.Write([]byte(`{"hooks":["192.0.2.0/24","2001:db8::/32"]}`))
	}
}

func TestRangesThatAProviderPublishes(t *testing.T) {
	t.Parallel()
	namespace := cluster.Namespace(t)
	endpoint := settled(t, namespace)
	controltest.Change(t, cluster, endpoint, func(e *v1alpha1.WebhookEndpoint) {
		e.Spec.AllowedIPRanges = []v1alpha1.AllowedIPRange{"10.0.0.1", "provider:github"}
	})
	waitRoute(t, "the published ranges", endpoint, func(r *route.Endpoint) bool {
		return r != nil && slices.Equal(r.AllowedIPRanges, []string{"10.0.0.1/32", "192.0.2.0/24", "2001:db8::/32"})
	})
	waitReady(t, endpoint)
	if got := endpoint.Status.AddressRanges; len(got) != 1 || got[0].Provider != "github" || got[0].Count != 2 ||
		got[0].Source == "" || got[0].RefreshTime.IsZero() {
		t.Errorf("status.addressRanges is %+v, want github's list with count, source and time", got)
	}

	controltest.Change(t, cluster, endpoint, func(e *v1alpha1.WebhookEndpoint) {
		e.Spec.AllowedIPRanges = []v1alpha1.AllowedIPRange{"provider:nobody"}
	})
	waitCondition(t, endpoint, v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonInvalidAddressRange)
}

// An edit whose ranges cannot be fetched leaves the route before it in force:
// allowing nobody or everybody instead would be worse.
func TestRangesThatCannotBeFetched(t *testing.T) {
	t.Parallel()
	namespace := cluster.Namespace(t)
	endpoint := settled(t, namespace)
	before := routeOf(t, endpoint)
	controltest.Change(t, cluster, endpoint, func(e *v1alpha1.WebhookEndpoint) {
		e.Spec.AllowedIPRanges = []v1alpha1.AllowedIPRange{"provider:own"}
	})
	waitCondition(t, endpoint, v1alpha1.ConditionAccepted, metav1.ConditionFalse,
		v1alpha1.ReasonAddressRangesUnavailable)
	if after := routeOf(t, endpoint); after == nil || after.Hash() != before.Hash() {
		t.Error("the route before the edit is not in force any more")
	}
}
