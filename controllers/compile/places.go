package compile

import "github.com/postern-dev/postern/api/v1alpha1"

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
