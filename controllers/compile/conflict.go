package compile

import (
	"cmp"
	"slices"

	"github.com/postern-dev/postern/api/v1alpha1"
)

// Holder returns the endpoint that keeps the given one from its host and path,
// or nil. The older endpoint has them, then the first by namespace and name; an
// endpoint that lost to another holds nothing itself. The others may be all
// endpoints of the cluster, the given one among them; those of other namespaces
// do not count, because a path outside the namespace's prefix is refused anyway
// and must not keep its owner out.
func Holder(endpoint *v1alpha1.WebhookEndpoint, others []*v1alpha1.WebhookEndpoint) *v1alpha1.WebhookEndpoint {
	path := PathOf(endpoint)
	rivals := []*v1alpha1.WebhookEndpoint{}
	for _, other := range others {
		if other.Namespace == endpoint.Namespace && PathOf(other) == path && older(other, endpoint) < 0 {
			rivals = append(rivals, other)
		}
	}
	slices.SortFunc(rivals, older)
	var holders []*v1alpha1.WebhookEndpoint
	for _, rival := range rivals {
		if overlapping(rival, holders) == nil {
			holders = append(holders, rival)
		}
	}
	return overlapping(endpoint, holders)
}

// older orders endpoints by age, then by namespace and name.
func older(a, b *v1alpha1.WebhookEndpoint) int {
	return cmp.Or(
		a.CreationTimestamp.Compare(b.CreationTimestamp.Time),
		cmp.Compare(a.Namespace, b.Namespace),
		cmp.Compare(a.Name, b.Name),
	)
}

// overlapping returns the first holder that a request for the endpoint could
// be meant for as well.
func overlapping(endpoint *v1alpha1.WebhookEndpoint, holders []*v1alpha1.WebhookEndpoint) *v1alpha1.WebhookEndpoint {
	for _, holder := range holders {
		if hostsOverlap(endpoint.Spec.Hosts, holder.Spec.Hosts) {
			return holder
		}
	}
	return nil
}

// hostsOverlap takes an empty list for every host.
func hostsOverlap(a, b []v1alpha1.Hostname) bool {
	if len(a) == 0 || len(b) == 0 {
		return true
	}
	return slices.ContainsFunc(a, func(host v1alpha1.Hostname) bool { return slices.Contains(b, host) })
}
