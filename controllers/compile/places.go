package compile

import (
	"cmp"

	"github.com/postern-dev/postern/api/v1alpha1"
)

// MaxEndpoints returns how many endpoints a namespace may have with these
// WebhookReceivers: the lowest of their limits; 0 without any receiver.
func MaxEndpoints(receivers []v1alpha1.WebhookReceiver) int {
	lowest := 0
	for i := range receivers {
		limit := int(cmp.Or(receivers[i].Spec.NamespaceLimits.MaxEndpoints, v1alpha1.DefaultMaxEndpoints))
		lowest = min(cmp.Or(lowest, limit), limit)
	}
	return lowest
}

// Ahead counts the endpoints of the same namespace that come before the given
// one when there are not places for all: those that hold a place already, so
// that nobody's working endpoint goes when a limit is lowered or a younger one
// comes, then the older ones. The others may be all endpoints of the namespace,
// the given one among them.
func Ahead(
	endpoint *v1alpha1.WebhookEndpoint, others []*v1alpha1.WebhookEndpoint, holds func(*v1alpha1.WebhookEndpoint) bool,
) int {
	ahead := 0
	for _, other := range others {
		if other.Name != endpoint.Name && other.Namespace == endpoint.Namespace &&
			(holds(other) || older(other, endpoint) < 0) {
			ahead++
		}
	}
	return ahead
}
