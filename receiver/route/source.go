package route

// Enforcement says what happens to requests that fail verification.
type Enforcement string

// Enforcements.
const (
	// EnforcementEnforce refuses them.
	EnforcementEnforce Enforcement = "Enforce"
	// EnforcementAudit counts them and delivers them marked as not verified.
	EnforcementAudit Enforcement = "Audit"
)

// Source says how requests are verified: by a built-in provider or by a
// declarative scheme; exactly one is set.
type Source struct {
	Provider string  `json:"provider,omitempty"`
	Scheme   *Scheme `json:"scheme,omitempty"`
	// ToleranceSeconds is the replay window both ways for schemes that sign a
	// timestamp; 0 means the provider's default.
	ToleranceSeconds int64             `json:"toleranceSeconds,omitempty"`
	Options          map[string]string `json:"options,omitempty"`
	// Methods are the request methods that a declarative scheme and provider none
	// accept; empty means POST, PUT and PATCH. Other providers bring theirs.
	Methods     []string    `json:"methods,omitempty"`
	Enforcement Enforcement `json:"enforcement"`
}

// Label names the source in metrics and headers: the provider's name, or
// "scheme" for a declarative one.
func (s Source) Label() string {
	if s.Provider != "" {
		return s.Provider
	}
	return "scheme"
}

// Verifies tells whether the source proves anything. The provider "none" does
// not: its events must never pass for verified ones.
func (s Source) Verifies() bool { return s.Provider != "none" }

// Algorithm is how a request proves that it knows the key.
type Algorithm string

// Algorithms.
const (
	AlgorithmHMACSHA1   Algorithm = "HMACSHA1"
	AlgorithmHMACSHA256 Algorithm = "HMACSHA256"
	AlgorithmHMACSHA512 Algorithm = "HMACSHA512"
	AlgorithmEd25519    Algorithm = "Ed25519"
	// AlgorithmToken compares a header with the key.
	AlgorithmToken Algorithm = "Token"
	// AlgorithmBasicAuth compares the Authorization header's "user:password" with the key.
	AlgorithmBasicAuth Algorithm = "BasicAuth"
)

// Encoding is a strict text form of bytes.
type Encoding string

// Encodings.
const (
	EncodingRaw       Encoding = "Raw"
	EncodingHex       Encoding = "Hex"
	EncodingBase64    Encoding = "Base64"
	EncodingBase64URL Encoding = "Base64URL"
)

// TimestampUnit is how a timestamp is written.
type TimestampUnit string

// Timestamp units.
const (
	UnitSeconds      TimestampUnit = "Seconds"
	UnitMilliseconds TimestampUnit = "Milliseconds"
	UnitRFC3339      TimestampUnit = "RFC3339"
)

// Scheme is declarative verification. Built-in providers of the common kind
// are values of it too.
type Scheme struct {
	Algorithm Algorithm `json:"algorithm"`
	Signature Signature `json:"signature"`
	// Content is the template of what is signed; empty means "{body}". It knows
	// {body} {timestamp} {id} {method} {url} {header:NAME} {json:PATH}
	// {query:NAME} {form:NAME}.
	Content   string    `json:"content,omitempty"`
	Timestamp Timestamp `json:"timestamp,omitzero"`
	ID        Field     `json:"id,omitzero"`
	EventType Field     `json:"eventType,omitzero"`
	Key       KeyFormat `json:"key,omitzero"`
	// RequireHeaders are headers that must be present with exactly this value.
	RequireHeaders map[string]string `json:"requireHeaders,omitempty"`
}

// Signature says where the signature stands and how it is written.
type Signature struct {
	// Headers are alternatives: any of them may carry the signature.
	Headers []string `json:"headers,omitempty"`
	// Prefix is literal and required when set.
	Prefix   string         `json:"prefix,omitempty"`
	Encoding Encoding       `json:"encoding,omitempty"`
	List     *SignatureList `json:"list,omitempty"`
}

// SignatureList describes several items in one header.
type SignatureList struct {
	Separator         string `json:"separator"`
	KeyValueSeparator string `json:"keyValueSeparator,omitempty"`
	SignatureKey      string `json:"signatureKey,omitempty"`
	TimestampKey      string `json:"timestampKey,omitempty"`
}

// Timestamp says where the signed timestamp stands.
type Timestamp struct {
	Header string        `json:"header,omitempty"`
	JSON   string        `json:"json,omitempty"`
	Unit   TimestampUnit `json:"unit,omitempty"`
}

// Field names a value of the request: a header or a path into the JSON body.
type Field struct {
	Header string `json:"header,omitempty"`
	JSON   string `json:"json,omitempty"`
}

// KeyFormat says how the key's text becomes key bytes.
type KeyFormat struct {
	Encoding    Encoding `json:"encoding,omitempty"`
	StripPrefix string   `json:"stripPrefix,omitempty"`
}
