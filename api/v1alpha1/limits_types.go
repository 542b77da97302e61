package v1alpha1

import "k8s.io/apimachinery/pkg/api/resource"

// DefaultMaxEndpoints is NamespaceLimits.maxEndpoints when nobody has set it.
const DefaultMaxEndpoints = 200

// NamespaceLimits bound what each namespace may use of the shared receiver, so that
// none uses it up for the others. A limit that is not set does not exist, but for
// maxEndpoints.
//
// +kubebuilder:validation:MinProperties=1
type NamespaceLimits struct {
	// maxEndpoints is how many WebhookEndpoints of a namespace are served; those that
	// were first keep their places. The default is 200. With several WebhookReceivers
	// the lowest holds.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	MaxEndpoints int32 `json:"maxEndpoints,omitempty"`

	// rateLimit bounds the requests of all endpoints of a namespace together, at each
	// receiver pod; over it they are answered 429.
	// +optional
	RateLimit RateLimit `json:"rateLimit,omitzero"`

	// maxStoredBytes is about how much the events of a namespace may take in the store:
	// waiting, dead and delivered ones, excerpts and deduplication marks. What need not
	// be kept gives way: excerpts, delivered events, then marks. Once what waits and
	// what is dead take all of it, new events are refused with 503; none of those is
	// dropped.
	// +optional
	// +kubebuilder:validation:XValidation:rule="quantity(string(self)).compareTo(quantity('1Mi')) >= 0",message="must be at least 1Mi"
	MaxStoredBytes resource.Quantity `json:"maxStoredBytes,omitzero"`
}
