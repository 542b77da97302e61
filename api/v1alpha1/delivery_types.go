package v1alpha1

// RateLimit is a token bucket at each receiver pod.
type RateLimit struct {
	// requestsPerSecond is the sustained rate.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	RequestsPerSecond int32 `json:"requestsPerSecond,omitempty"`

	// burst is how many requests may come at once; the default is twice requestsPerSecond.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=200000
	Burst int32 `json:"burst,omitempty"`
}

// Deduplication says which requests are the same event.
//
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:XValidation:rule="!has(self.windowSeconds) || self.windowSeconds > 0 || !has(self.replayGuard) || self.replayGuard == 'None'",message="`replayGuard: Body` needs a `windowSeconds` above 0",fieldPath=".replayGuard"
// +kubebuilder:validation:XValidation:rule="!has(self.windowSeconds) || self.windowSeconds > 0 || !has(self.key)",message="`key` may not be set with `windowSeconds: 0`, which turns deduplication off",fieldPath=".key"
type Deduplication struct {
	// key is a CEL string expression over the request for what identifies an event:
	// `method`, `path`, `query`, `headers`, `body`, `form` and `bodySHA256`. By default, and
	// where it fails or gives nothing, the provider's identity counts: an id with all
	// that tells events apart beside it, else the whole request with its signed
	// time, else nothing, so that every request is an event of its own.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	Key string `json:"key,omitempty"`

	// windowSeconds is how long an event is remembered; the default is 259200 (72 h) or
	// the provider's longer retry horizon; 0 turns deduplication off.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2592000
	WindowSeconds *int32 `json:"windowSeconds,omitempty"`

	// replayGuard says what beside the delivery id marks a request as seen: None, or
	// Body for providers that sign neither id nor timestamp.
	// +optional
	ReplayGuard ReplayGuard `json:"replayGuard,omitempty"`
}

// ReplayGuard says what beside the delivery id marks a request as seen.
//
// +kubebuilder:validation:Enum=None;Body
type ReplayGuard string

// Replay guards.
const (
	// ReplayGuardNone trusts the delivery id; it is the default.
	ReplayGuardNone ReplayGuard = "None"
	// ReplayGuardBody takes a body seen within the window for a duplicate even under a fresh id.
	ReplayGuardBody ReplayGuard = "Body"
)

// DeliveryMode is when the sender is answered.
//
// +kubebuilder:validation:Enum=Queued;Direct
type DeliveryMode string

// Delivery modes.
const (
	// DeliveryQueued answers once the event is durable.
	DeliveryQueued DeliveryMode = "Queued"
	// DeliveryDirect forwards first and answers as the target did.
	DeliveryDirect DeliveryMode = "Direct"
)

// Retry is exponential back-off, factor 2, with full jitter.
//
// +kubebuilder:validation:XValidation:rule="!has(self.maxBackoffSeconds) || !has(self.initialBackoffSeconds) || self.maxBackoffSeconds >= self.initialBackoffSeconds",message="`maxBackoffSeconds` (default 600) must be at least `initialBackoffSeconds`",fieldPath=".maxBackoffSeconds"
type Retry struct {
	// initialBackoffSeconds is the wait before the second attempt.
	// +optional
	// +default=1
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=86400
	InitialBackoffSeconds int32 `json:"initialBackoffSeconds,omitempty"`

	// maxBackoffSeconds bounds the wait between attempts, also when a target asks for longer.
	// +optional
	// +default=600
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=86400
	MaxBackoffSeconds int32 `json:"maxBackoffSeconds,omitempty"`

	// maxAgeSeconds is when an undelivered event becomes a dead letter.
	// +optional
	// +default=259200
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=2592000
	MaxAgeSeconds int32 `json:"maxAgeSeconds,omitempty"`

	// maxAttempts bounds the attempts; 0 means that age alone decides.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000
	MaxAttempts int32 `json:"maxAttempts,omitempty"`
}

// DeadLetters is what becomes of events that a target never took.
type DeadLetters struct {
	// maxAgeSeconds is how long a dead letter is kept after it died; 0 (the default)
	// keeps it until somebody replays or discards it.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=31536000
	MaxAgeSeconds int32 `json:"maxAgeSeconds,omitempty"`
}

// History is what is kept of finished events.
type History struct {
	// limit is how many delivered events are kept with their bodies, newest first.
	// +optional
	// +default=100
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000
	Limit *int32 `json:"limit,omitempty"`
}
