package route

// SchemaVersion is the version of the document written by this build. A
// receiver loads documents of this version and of the one before it.
const SchemaVersion = 1

// Endpoint is one compiled WebhookEndpoint.
type Endpoint struct {
	// SchemaVersion tells how to read the document.
	SchemaVersion int `json:"schemaVersion"`
	// UID identifies the endpoint across renames of nothing and re-creations of
	// everything: queued events belong to a UID, so that a new endpoint under an
	// old name never inherits another's events.
	UID        string `json:"uid"`
	Namespace  string `json:"namespace"`
	Name       string `json:"name"`
	Generation int64  `json:"generation"`

	// Hosts are lower-case host names without port; empty means any.
	Hosts []string `json:"hosts,omitempty"`
	// Path is the exact request path, starting with a slash.
	Path string `json:"path"`
	// URL is the public URL as configured at the provider, for schemes that sign it.
	URL string `json:"url,omitempty"`

	Source Source `json:"source"`
	// Keys are tried in order; every one is active.
	Keys []Key `json:"keys,omitempty"`
	// SecretVersion is the resource version of the Secret that the keys came from.
	SecretVersion string `json:"secretVersion,omitempty"`

	AllowedIPRanges []string   `json:"allowedIPRanges,omitempty"`
	MaxBodyBytes    int64      `json:"maxBodyBytes"`
	RateLimit       *RateLimit `json:"rateLimit,omitempty"`

	Deduplication Deduplication `json:"deduplication"`
	// EventTypeExpression is a CEL string expression; empty means the scheme's event type.
	EventTypeExpression string `json:"eventTypeExpression,omitempty"`

	// Draining routes get no requests, because another endpoint has the path. The
	// events that they have are delivered.
	Draining     bool     `json:"draining,omitempty"`
	Suspend      bool     `json:"suspend,omitempty"`
	Delivery     Delivery `json:"delivery"`
	Retry        Retry    `json:"retry"`
	HistoryLimit int      `json:"historyLimit"`
	// DeadMaxAgeSeconds is how long a dead letter is kept; 0 keeps it for ever.
	DeadMaxAgeSeconds int64    `json:"deadMaxAgeSeconds,omitempty"`
	Targets           []Target `json:"targets,omitempty"`

	// Unavailable is set when requests cannot be served for now; they are
	// answered 503 with its reason.
	Unavailable *Unavailable `json:"unavailable,omitempty"`
}

// Reasons of [Unavailable]: the first two of an endpoint, the others of a target.
const (
	ReasonSecretUnavailable = "secret_unavailable"
	ReasonNoTarget          = "no_target"

	ReasonServiceNotFound          = "service_not_found"
	ReasonPortNotFound             = "port_not_found"
	ReasonSigningSecretUnavailable = "signing_secret_unavailable"
)

// Unavailable says why an endpoint that exists cannot serve requests.
type Unavailable struct {
	// Reason is the snake_case word of the answer, the log and the metric.
	Reason string `json:"reason"`
	// Message is for people; it never carries a secret value.
	Message string `json:"message"`
}

// Key is one active key of the endpoint's Secret.
type Key struct {
	// Name is the key's name within the Secret; it labels the metric that tells
	// which key was used.
	Name  string      `json:"name"`
	Value SecretBytes `json:"-"`
}

// RateLimit is a token bucket.
type RateLimit struct {
	RequestsPerSecond int `json:"requestsPerSecond"`
	Burst             int `json:"burst"`
}

// ReplayGuard says what beside the delivery id marks a request as seen.
type ReplayGuard string

// Replay guards.
const (
	ReplayGuardNone ReplayGuard = "None"
	ReplayGuardBody ReplayGuard = "Body"
)

// Deduplication says which requests are the same event.
type Deduplication struct {
	// KeyExpression is a CEL string expression; empty means the scheme's delivery id.
	KeyExpression string `json:"keyExpression,omitempty"`
	// WindowSeconds is how long an event is remembered; 0 turns deduplication off.
	WindowSeconds int64       `json:"windowSeconds"`
	ReplayGuard   ReplayGuard `json:"replayGuard,omitempty"`
}

// Delivery is when the sender is answered.
type Delivery string

// Delivery modes.
const (
	// DeliveryQueued answers once the event is durable.
	DeliveryQueued Delivery = "Queued"
	// DeliveryDirect answers with what the single target answered.
	DeliveryDirect Delivery = "Direct"
)

// Retry is the schedule of one event at one target: exponential, factor 2, full jitter.
type Retry struct {
	InitialBackoffSeconds int64 `json:"initialBackoffSeconds"`
	MaxBackoffSeconds     int64 `json:"maxBackoffSeconds"`
	MaxAgeSeconds         int64 `json:"maxAgeSeconds"`
	// MaxAttempts bounds the attempts; 0 means that age alone decides.
	MaxAttempts int `json:"maxAttempts,omitempty"`
}

// Format is the shape in which a target gets the event.
type Format string

// Formats.
const (
	// FormatOriginal forwards method, query, headers and body as received.
	FormatOriginal Format = "Original"
	// FormatCloudEvents adds CloudEvents 1.0 attributes as ce- headers (binary mode).
	FormatCloudEvents Format = "CloudEvents"
)

// Target is one permitted destination. Targets that consent or validation
// refused are not in the document.
type Target struct {
	Name string `json:"name"`
	// Namespace and Service name the Service; Port is its port number.
	Namespace string `json:"namespace"`
	Service   string `json:"service"`
	Port      int    `json:"port"`
	// Path replaces the request path; it starts with a slash.
	Path string `json:"path"`
	// EventTypes are globs; empty means all.
	EventTypes []string `json:"eventTypes,omitempty"`
	// WhenExpression is a CEL bool expression; empty means always.
	WhenExpression string `json:"whenExpression,omitempty"`
	Format         Format `json:"format"`
	// SigningKey re-signs the request as Standard Webhooks; empty means no signature.
	// These are the key's bytes, already decoded.
	SigningKey SecretBytes `json:"-"`
	// SigningKeyVersion is the resource version of the Secret that SigningKey came from.
	SigningKeyVersion string `json:"signingKeyVersion,omitempty"`
	TimeoutSeconds    int64  `json:"timeoutSeconds"`
	MaxInFlight       int    `json:"maxInFlight"`
	// Unavailable is set while the target cannot be reached by configuration (its
	// Service does not exist): events queue and wait.
	Unavailable *Unavailable `json:"unavailable,omitempty"`
}
