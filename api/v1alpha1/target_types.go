package v1alpha1

import (
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Target is one Service that gets the events, with its own queue and its own retries.
type Target struct {
	// name identifies the target within the endpoint; the default is the Service's name.
	// Queued events belong to the name.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self == '' || !format.dns1123Label().validate(self).hasValue()",message="must be a name in lower case letters, digits and dashes, such as builder"
	Name string `json:"name,omitempty"`

	// service is where the events go.
	// +required
	Service ServiceReference `json:"service,omitzero"`

	// path is the request path at the Service; the request's query string is kept.
	// +optional
	// +default="/"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="self.matches('^/[A-Za-z0-9._~!$&()*+,;=:@%/-]*$')",message="must start with a slash and have no query or fragment, such as /hooks; the request's query string is kept as it is"
	// +kubebuilder:validation:XValidation:rule="!self.matches('/[.][.]?(/|$)')",message="must not contain the segments . or .. : write the path that they would lead to"
	Path string `json:"path,omitempty"`

	// eventTypes are globs of the event types that the target gets, such as
	// "pull_request.*"; empty means all.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	EventTypes []EventTypeGlob `json:"eventTypes,omitempty"`

	// when is a CEL bool expression over `event` and the request: `method`, `path`,
	// `query`, `headers`, `body`, `form` and `bodySHA256`. The target gets the events
	// for which it is true; empty means all. An event on which it fails joins the
	// target's dead letters.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	When string `json:"when,omitempty"`

	// format is the shape in which the target gets events: Original, as received, or
	// CloudEvents, which adds ce- headers (binary mode).
	// +optional
	// +default="Original"
	Format TargetFormat `json:"format,omitempty"`

	// signingSecretRef names a Secret of this namespace with which deliveries are signed
	// anew as Standard Webhooks.
	// +optional
	SigningSecretRef SecretKeyReference `json:"signingSecretRef,omitzero"`

	// timeoutSeconds bounds one attempt.
	// +optional
	// +default=15
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=300
	TimeoutSeconds int32 `json:"timeoutSeconds,omitempty"`

	// maxInFlight bounds the concurrent attempts per receiver pod.
	// +optional
	// +default=32
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1024
	MaxInFlight int32 `json:"maxInFlight,omitempty"`
}

// ServiceReference names a port of a Service.
//
// +kubebuilder:validation:XValidation:rule="type(self.port) == int ? (self.port >= 1 && self.port <= 65535) : self.port.matches('^[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$')",message="must be a port number between 1 and 65535 or the name of a port of the Service",fieldPath=".port"
type ServiceReference struct {
	// name is the Service's name.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Label().validate(self).hasValue()",message="must be the bare name of a Service, such as builder; write its namespace in `namespace`"
	Name string `json:"name,omitempty"`

	// namespace is the Service's namespace; the default is the endpoint's own. Another
	// namespace must consent with a Gateway API ReferenceGrant.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self == '' || !format.dns1123Label().validate(self).hasValue()",message="must be the name of a namespace"
	Namespace string `json:"namespace,omitempty"`

	// port is the number or the name of one of the Service's ports.
	// +required
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:MaxLength=15
	Port intstr.IntOrString `json:"port,omitzero"`
}

// EventTypeGlob is an event type in which * stands for any characters.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=256
type EventTypeGlob string

// TargetFormat is the shape in which a target gets events.
//
// +kubebuilder:validation:Enum=Original;CloudEvents
type TargetFormat string

// Target formats.
const (
	// TargetFormatOriginal forwards method, query, headers and body as received.
	TargetFormatOriginal TargetFormat = "Original"
	// TargetFormatCloudEvents adds CloudEvents 1.0 attributes as headers (binary mode).
	TargetFormatCloudEvents TargetFormat = "CloudEvents"
)

// SecretKeyReference names one key of a Secret in the same namespace.
type SecretKeyReference struct {
	// name is the Secret's name.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue()",message="must be the name of a Secret in this namespace"
	Name string `json:"name,omitempty"`

	// key is the key within the Secret.
	// +optional
	// +default="secret"
	Key SecretKey `json:"key,omitempty"`
}
