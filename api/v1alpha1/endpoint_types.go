package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// WebhookEndpoint receives the webhooks of one source and delivers them to Services.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:storageversion
// +kubebuilder:resource:scope=Namespaced,shortName=whe,categories=postern
// +kubebuilder:printcolumn:name="Source",type=string,JSONPath=`.spec.source.provider`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,priority=1
// +kubebuilder:printcolumn:name="Pending",type=integer,JSONPath=`.status.traffic.pending`
// +kubebuilder:printcolumn:name="Dead",type=integer,JSONPath=`.status.traffic.dead`
// +kubebuilder:printcolumn:name="Last Event",type=date,JSONPath=`.status.traffic.lastEventTime`
// +kubebuilder:printcolumn:name="P99",type=integer,JSONPath=`.status.traffic.deliveryP99Milliseconds`,priority=1,description="milliseconds from received to delivered, of 99 % of the last hour's events"
// +kubebuilder:printcolumn:name="URL",type=string,JSONPath=`.status.url`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type WebhookEndpoint struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is what the endpoint accepts and where it delivers.
	// +required
	Spec WebhookEndpointSpec `json:"spec,omitzero"`

	// status is what the controllers observed.
	// +optional
	Status WebhookEndpointStatus `json:"status,omitzero"`
}

// WebhookEndpointList is a list of WebhookEndpoints.
//
// +kubebuilder:object:root=true
type WebhookEndpointList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []WebhookEndpoint `json:"items"`
}

// WebhookEndpointSpec is what an endpoint accepts and where it delivers.
//
// +kubebuilder:validation:XValidation:rule="has(self.secretRef) || (has(self.source.provider) && self.source.provider in ['none', 'aws-sns', 'amazon-sns', 'sns', 'travis', 'travis-ci']) || has(self.source.options)",message="`secretRef` must name the Secret that holds the signing secret; only `source.provider: none` and providers that verify with a public key (in `source.options`) do without",fieldPath=".secretRef",reason=FieldValueRequired
// +kubebuilder:validation:XValidation:rule="!has(self.secretRef) || !has(self.source.provider) || self.source.provider != 'none'",message="`secretRef` may not be set with `source.provider: none`, which verifies nothing: remove `secretRef`, or name the provider that signs",fieldPath=".secretRef",reason=FieldValueForbidden
// +kubebuilder:validation:XValidation:rule="!has(self.delivery) || self.delivery != 'Direct' || size(self.targets) == 1",message="`delivery: Direct` answers with the target's own answer and needs exactly one entry in `targets`; use `delivery: Queued` for several",fieldPath=".targets"
// +kubebuilder:validation:XValidation:rule="!has(self.delivery) || self.delivery != 'Direct' || !has(self.suspend) || !self.suspend",message="`suspend` may not be set with `delivery: Direct`, which has no queue to hold events; use `delivery: Queued`",fieldPath=".suspend"
// +kubebuilder:validation:XValidation:rule="!has(self.source.enforcement) || self.source.enforcement != 'Audit' || !has(self.source.provider) || self.source.provider != 'none'",message="`source.enforcement: Audit` has nothing to audit with `source.provider: none`: remove it",fieldPath=".source.enforcement"
// +kubebuilder:validation:XValidation:rule="!has(self.methods) || has(self.source.scheme) || (has(self.source.provider) && self.source.provider == 'none')",message="`methods` may be set with `source.scheme` and `source.provider: none` only; the other providers bring their methods: remove `methods`",fieldPath=".methods",reason=FieldValueForbidden
// +kubebuilder:validation:XValidation:rule="self.targets.all(t, self.targets.exists_one(u, (has(u.name) && size(u.name) > 0 ? u.name : u.service.name) == (has(t.name) && size(t.name) > 0 ? t.name : t.service.name)))",message="target names must be unique; a target without `name` is named after its Service: give the others a `name`",fieldPath=".targets"
type WebhookEndpointSpec struct {
	// source is who sends the webhooks and how they are verified.
	// +required
	Source Source `json:"source,omitzero"`

	// secretRef names the Secret of this namespace with the signing secret.
	// Every listed key is active, which is how a secret is rotated.
	// +optional
	SecretRef SecretKeysReference `json:"secretRef,omitzero"`

	// hosts are the only Host names that are accepted; empty accepts any.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	Hosts []Hostname `json:"hosts,omitempty"`

	// path is the request path; the default is /<namespace>/<name>. A custom path
	// must start with /<namespace>/, so that namespaces cannot take each other's paths.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self == '' || self.matches('^(/[A-Za-z0-9._~!$&()*+,;=:@-]+){2,}$')",message="must be a plain path that starts with /<namespace>/ and has no query, no percent-encoding, no empty segment and no slash at the end, such as /ci/github"
	// +kubebuilder:validation:XValidation:rule="!self.matches('/[.][.]?(/|$)')",message="must not contain the segments . or .. : write the path that they would lead to"
	Path string `json:"path,omitempty"`

	// allowedIPRanges are the client addresses that may send, as CIDRs, single
	// addresses, or provider:NAME for the ranges that a provider publishes; empty
	// allows any.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=256
	AllowedIPRanges []AllowedIPRange `json:"allowedIPRanges,omitempty"`

	// methods are the request methods that a scheme of your own and provider none
	// accept; the default is POST, PUT and PATCH. Other providers bring theirs.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=5
	Methods []Method `json:"methods,omitempty"`

	// maxBodyBytes is the largest accepted body; larger ones are refused, never
	// truncated. The default is what the provider may send, such as 25 MiB for
	// github, and 1 MiB where no size is documented.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=26214400
	MaxBodyBytes int32 `json:"maxBodyBytes,omitempty"`

	// rateLimit refuses requests beyond a rate with 429; absent means no limit.
	// +optional
	RateLimit RateLimit `json:"rateLimit,omitzero"`

	// deduplication says which requests are the same event.
	// +optional
	Deduplication Deduplication `json:"deduplication,omitzero"`

	// eventType is a CEL string expression over the request for the event's type:
	// `method`, `path`, `query`, `headers`, `body`, `form` and `bodySHA256`. By
	// default, and where it fails, the type is the provider's.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	EventType string `json:"eventType,omitempty"`

	// suspend keeps accepting and queueing events but delivers nothing.
	// +optional
	Suspend bool `json:"suspend,omitempty"`

	// delivery is when the sender is answered: once the event is durable (Queued),
	// or with the target's own answer (Direct).
	// +optional
	// +default="Queued"
	Delivery DeliveryMode `json:"delivery,omitempty"`

	// retry is the schedule of deliveries that fail.
	// +optional
	// +default={}
	Retry Retry `json:"retry,omitzero"`

	// history is what is kept of finished events for inspection and replay.
	// +optional
	// +default={}
	History History `json:"history,omitzero"`

	// deadLetters says what becomes of events that a target never took.
	// +optional
	DeadLetters DeadLetters `json:"deadLetters,omitzero"`

	// targets are the Services that get the events. Their names are unique; as a
	// name may be left out, the list is replaced as a whole.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Targets []Target `json:"targets,omitempty"`
}

// WebhookEndpointStatus is what the controllers observed.
type WebhookEndpointStatus struct {
	// conditions are Accepted, SecretsResolved, TargetsResolved, Programmed and their summary Ready.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the generation of the spec that this status describes.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// url is what to enter at the provider.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	URL string `json:"url,omitempty"`

	// addressRanges are the lists of providers that allowedIPRanges name.
	// +optional
	// +listType=map
	// +listMapKey=provider
	// +kubebuilder:validation:MaxItems=256
	AddressRanges []PublishedAddressRanges `json:"addressRanges,omitempty"`

	// routeHash identifies the compiled route that receivers serve.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	RouteHash string `json:"routeHash,omitempty"`
	// traffic is what the receivers counted; it trails by up to a minute, longer
	// while many endpoints are busy.
	// +optional
	Traffic EndpointTraffic `json:"traffic,omitzero"`
}

// EndpointTraffic is how an endpoint does.
//
// +kubebuilder:validation:MinProperties=1
type EndpointTraffic struct {
	// pending counts the deliveries that are queued, delayed or under way, over all targets.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Pending *int64 `json:"pending,omitempty"`

	// dead counts the dead letters, over all targets.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Dead *int64 `json:"dead,omitempty"`

	// lastEventTime is when an event was accepted last.
	// +optional
	LastEventTime metav1.Time `json:"lastEventTime,omitzero"`

	// deliveryP99Milliseconds is the time from received to delivered that 99 % of
	// the last hour's deliveries kept; absent without any.
	// +optional
	// +kubebuilder:validation:Minimum=0
	DeliveryP99Milliseconds *int64 `json:"deliveryP99Milliseconds,omitempty"`
}
