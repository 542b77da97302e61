package status

import (
	"cmp"

	"github.com/postern-dev/postern/api/v1alpha1"
)

// Guarantee is the sentence that says what a 2xx means with the store of the
// spec. The sentences are those of the table in docs/design.md.
func Guarantee(spec *v1alpha1.WebhookReceiverSpec) string {
	switch {
	case spec.Store.AllowWeakDurability:
		return "A 2xx means that the store accepted the event; what survives depends on the store's settings, " +
			"which are not checked. Not covered: whatever those settings lose."
	case storeType(spec) == v1alpha1.StoreTypeExternal:
		return "A 2xx means that the event is fsync'd on the external store's primary and, where it has replicas, " +
			"held by one of them. Not covered: promotion of a replica that had not acknowledged the write."
	case spec.Store.Sidecar.Persistence.Type == v1alpha1.PersistenceEmptyDir:
		return "A 2xx means that the event is fsync'd on the node's disk; it survives process and container " +
			"crashes, and planned pod deletion by draining. Not covered: node loss; a drain longer than the grace period."
	default:
		return "A 2xx means that the event is fsync'd on one volume; it survives process, container, pod and " +
			"(with a network volume) node loss. Not covered: the volume destroyed."
	}
}

func storeType(spec *v1alpha1.WebhookReceiverSpec) v1alpha1.StoreType {
	return cmp.Or(spec.Store.Type, v1alpha1.StoreTypeSidecar)
}
