package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// WebhookReplay delivers kept events of one WebhookEndpoint again, once. Like a
// Job it runs when it is created and cannot be changed; deleting it stops it.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:storageversion
// +kubebuilder:resource:scope=Namespaced,shortName=whreplay,categories=postern
// +kubebuilder:printcolumn:name="Endpoint",type=string,JSONPath=`.spec.endpointRef.name`
// +kubebuilder:printcolumn:name="Events",type=string,JSONPath=`.spec.selector.status`
// +kubebuilder:printcolumn:name="Matched",type=integer,JSONPath=`.status.matched`
// +kubebuilder:printcolumn:name="Replayed",type=integer,JSONPath=`.status.replayed`
// +kubebuilder:printcolumn:name="Complete",type=string,JSONPath=`.status.conditions[?(@.type=="Complete")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Complete")].reason`
// +kubebuilder:printcolumn:name="Dry Run",type=boolean,JSONPath=`.spec.dryRun`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type WebhookReplay struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is which events are delivered again, and how fast. It cannot be changed.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="a WebhookReplay runs once and cannot be changed: create another one"
	Spec WebhookReplaySpec `json:"spec,omitzero"`

	// status is how far the replay got.
	// +optional
	Status WebhookReplayStatus `json:"status,omitzero"`
}

// WebhookReplayList is a list of WebhookReplays.
//
// +kubebuilder:object:root=true
type WebhookReplayList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []WebhookReplay `json:"items"`
}

// WebhookReplaySpec is which events are delivered again, and how fast.
type WebhookReplaySpec struct {
	// endpointRef names the WebhookEndpoint of this namespace whose events are replayed.
	// +required
	EndpointRef EndpointReference `json:"endpointRef,omitzero"`

	// selector says which events; all of its fields must match. The default is
	// every dead letter of the endpoint.
	// +optional
	// +default={}
	Selector ReplaySelector `json:"selector,omitzero"`

	// limit bounds how many events are replayed, the ones that changed last first;
	// absent means no bound.
	// +optional
	// +kubebuilder:validation:Minimum=1
	Limit int64 `json:"limit,omitempty"`

	// eventsPerSecond bounds how many events are made due in a second; the targets'
	// own limits hold besides. Absent means no bound.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	EventsPerSecond int32 `json:"eventsPerSecond,omitempty"`

	// dryRun counts the events that match and replays none.
	// +optional
	DryRun bool `json:"dryRun,omitempty"`

	// ttlSecondsAfterFinished is how long the WebhookReplay is kept when it has
	// ended; absent means until somebody deletes it.
	// +optional
	// +kubebuilder:validation:Minimum=0
	TTLSecondsAfterFinished *int32 `json:"ttlSecondsAfterFinished,omitempty"`
}

// EndpointReference names a WebhookEndpoint of the same namespace.
type EndpointReference struct {
	// name is the WebhookEndpoint's name.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`
}

// ReplaySelector selects kept events.
//
// +kubebuilder:validation:XValidation:rule="!has(self.receivedAfter) || !has(self.receivedBefore) || self.receivedAfter < self.receivedBefore",message="`receivedAfter` must be before `receivedBefore`",fieldPath=".receivedBefore"
type ReplaySelector struct {
	// status is Dead for events that were given up, or Delivered for events of the
	// history that every target has. Replaying the latter makes duplicates on purpose.
	// +optional
	// +default="Dead"
	Status ReplayStatus `json:"status,omitempty"`

	// receivedAfter selects events that were received at this time or later.
	// +optional
	ReceivedAfter metav1.Time `json:"receivedAfter,omitzero"`

	// receivedBefore selects events that were received before this time.
	// +optional
	ReceivedBefore metav1.Time `json:"receivedBefore,omitzero"`

	// eventTypes are globs of event types, such as "pull_request.*"; empty means all.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	EventTypes []EventTypeGlob `json:"eventTypes,omitempty"`

	// eventIDs are ids of events, as receivers answer them and the header
	// Postern-Event-Id has them; empty means all.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=256
	EventIDs []EventID `json:"eventIDs,omitempty"`

	// targets are names of targets that get the events again; empty means all
	// that the event is dead at, or was delivered to.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	Targets []TargetName `json:"targets,omitempty"`
}

// ReplayStatus is where events must stand to be replayed.
//
// +kubebuilder:validation:Enum=Dead;Delivered
type ReplayStatus string

// Values of ReplayStatus.
const (
	ReplayDead      ReplayStatus = "Dead"
	ReplayDelivered ReplayStatus = "Delivered"
)

// EventID is the id of an event: 32 hexadecimal digits.
//
// +kubebuilder:validation:MaxLength=32
// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9a-f]{32}$')",message="must be an event id of 32 hexadecimal digits in lower case, as `kubectl postern events list` shows them"
type EventID string

// TargetName is the name of a target of a WebhookEndpoint.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=63
type TargetName string

// WebhookReplayStatus is how far a replay got.
type WebhookReplayStatus struct {
	// conditions are Complete, which is True when every matching event was made
	// due, and Failed.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=8
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the generation of the spec that this status describes.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// matched counts the events that the selector matched so far.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Matched *int64 `json:"matched,omitempty"`

	// replayed counts the events that were made due so far. It stays below matched
	// for events that are just being delivered.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Replayed *int64 `json:"replayed,omitempty"`

	// startTime is when a receiver began.
	// +optional
	StartTime metav1.Time `json:"startTime,omitzero"`

	// completionTime is when the replay ended.
	// +optional
	CompletionTime metav1.Time `json:"completionTime,omitzero"`
}
