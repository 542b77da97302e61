package v1alpha1

// Scheme describes how requests are signed. It is data: the built-in providers
// of the common kind are described by the same fields.
//
// +kubebuilder:validation:XValidation:rule="self.algorithm == 'BasicAuth' || has(self.signature)",message="`signature.headers` must name the header that carries the signature or token",fieldPath=".signature",reason=FieldValueRequired
// +kubebuilder:validation:XValidation:rule="self.algorithm != 'BasicAuth' || !has(self.signature)",message="`signature` may not be set with `algorithm: BasicAuth`, which reads the Authorization header; the Secret's value is `user:password`",fieldPath=".signature",reason=FieldValueForbidden
// +kubebuilder:validation:XValidation:rule="!(self.algorithm in ['Token', 'BasicAuth']) || (!has(self.content) && !has(self.timestamp))",message="`content` and `timestamp` may not be set with `algorithm: Token` or `BasicAuth`, which sign nothing",fieldPath=".content",reason=FieldValueForbidden
// +kubebuilder:validation:XValidation:rule="self.algorithm != 'Token' || !has(self.signature) || (!has(self.signature.encoding) && !has(self.signature.list))",message="`signature.encoding` and `signature.list` may not be set with `algorithm: Token`, which compares the header's text with the secret",fieldPath=".signature",reason=FieldValueForbidden
// +kubebuilder:validation:XValidation:rule="!(self.algorithm in ['Token', 'BasicAuth']) || !has(self.key)",message="`key` may not be set with `algorithm: Token` or `BasicAuth`: the secret is compared as it stands",fieldPath=".key",reason=FieldValueForbidden
// +kubebuilder:validation:XValidation:rule="!has(self.content) || !self.content.contains('{timestamp}') || has(self.timestamp) || (has(self.signature) && has(self.signature.list) && has(self.signature.list.timestampKey))",message="`content` uses {timestamp}: say where it stands with `timestamp.header`, `timestamp.json` or `signature.list.timestampKey`",fieldPath=".timestamp",reason=FieldValueRequired
// +kubebuilder:validation:XValidation:rule="!has(self.content) || !self.content.contains('{id}') || has(self.id)",message="`content` uses {id}: say where it stands with `id.header` or `id.json`",fieldPath=".id",reason=FieldValueRequired
// +kubebuilder:validation:XValidation:rule="!has(self.timestamp) || [has(self.timestamp.header), has(self.timestamp.json), has(self.signature) && has(self.signature.list) && has(self.signature.list.timestampKey)].filter(set, set).size() == 1",message="the timestamp must stand in exactly one place: `timestamp.header`, `timestamp.json` or `signature.list.timestampKey`",fieldPath=".timestamp"
type Scheme struct {
	// algorithm is how a request proves that its sender knows the secret.
	// +required
	Algorithm Algorithm `json:"algorithm,omitempty"`

	// signature says where the signature stands and how it is written.
	// +optional
	Signature Signature `json:"signature,omitzero"`

	// content is the template of what is signed. It knows {body} {timestamp} {id}
	// {method} {url} {header:NAME} {json:PATH} {query:NAME} and {form:NAME}; the
	// default is {body}.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="self.matches('^([^{}]|[{](body|timestamp|id|method|url|header:[A-Za-z0-9_-]+|(json|query|form):[^{}]+)[}])*$')",message="may use only {body} {timestamp} {id} {method} {url} {header:NAME} {json:PATH} {query:NAME} and {form:NAME} between braces"
	Content string `json:"content,omitempty"`

	// timestamp says where the signed timestamp stands.
	// +optional
	Timestamp SchemeTimestamp `json:"timestamp,omitzero"`

	// id says where the delivery id stands; it serves `content` and deduplication.
	// +optional
	ID RequestField `json:"id,omitzero"`

	// eventType says where the event's type stands.
	// +optional
	EventType RequestField `json:"eventType,omitzero"`

	// key says how the secret's text becomes key bytes.
	// +optional
	Key SchemeKey `json:"key,omitzero"`

	// requireHeaders must be present with exactly these values.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=16
	RequireHeaders map[string]HeaderValue `json:"requireHeaders,omitempty"`
}

// Algorithm is how a request proves that its sender knows the secret.
//
// +kubebuilder:validation:Enum=HMACSHA1;HMACSHA256;HMACSHA512;Ed25519;Token;BasicAuth
type Algorithm string

// Algorithms.
const (
	AlgorithmHMACSHA1   Algorithm = "HMACSHA1"
	AlgorithmHMACSHA256 Algorithm = "HMACSHA256"
	AlgorithmHMACSHA512 Algorithm = "HMACSHA512"
	AlgorithmEd25519    Algorithm = "Ed25519"
	// AlgorithmToken compares a header with the secret in constant time.
	AlgorithmToken Algorithm = "Token"
	// AlgorithmBasicAuth compares user and password with the secret in constant time.
	AlgorithmBasicAuth Algorithm = "BasicAuth"
)

// Signature says where the signature stands and how it is written.
type Signature struct {
	// headers are alternatives: any of them may carry the signature.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	Headers []HeaderName `json:"headers,omitempty"`

	// prefix is literal and required when set, such as "sha256=".
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Prefix string `json:"prefix,omitempty"`

	// encoding is how the signature is written; the default is Hex. It is strict:
	// canonical padding, no line breaks.
	// +optional
	Encoding SignatureEncoding `json:"encoding,omitempty"`

	// list describes several items in one header.
	// +optional
	List SignatureList `json:"list,omitzero"`
}

// SignatureEncoding is how a signature is written.
//
// +kubebuilder:validation:Enum=Hex;Base64;Base64URL
type SignatureEncoding string

// Signature encodings.
const (
	SignatureEncodingHex       SignatureEncoding = "Hex"
	SignatureEncodingBase64    SignatureEncoding = "Base64"
	SignatureEncodingBase64URL SignatureEncoding = "Base64URL"
)

// SignatureList describes several items in one header, such as "t=…,v1=…,v1=…".
//
// +kubebuilder:validation:XValidation:rule="has(self.keyValueSeparator) == (has(self.signatureKey) || has(self.timestampKey))",message="`keyValueSeparator` and the keys belong together: set it with `signatureKey` (and `timestampKey`), or leave all of them out for a list of bare signatures"
// +kubebuilder:validation:XValidation:rule="!has(self.timestampKey) || has(self.signatureKey)",message="`signatureKey` must be set beside `timestampKey`, so that a timestamp is never taken for a signature"
// +kubebuilder:validation:XValidation:rule="!has(self.keyValueSeparator) || self.keyValueSeparator != self.separator",message="`keyValueSeparator` must differ from `separator`"
// +kubebuilder:validation:XValidation:rule="!has(self.timestampKey) || !has(self.signatureKey) || self.timestampKey != self.signatureKey",message="`timestampKey` must differ from `signatureKey`"
type SignatureList struct {
	// separator stands between items.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=8
	Separator string `json:"separator,omitempty"`

	// keyValueSeparator stands between an item's key and its value.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=8
	KeyValueSeparator string `json:"keyValueSeparator,omitempty"`

	// signatureKey is the key of items that are signatures; items under another key never count.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	SignatureKey string `json:"signatureKey,omitempty"`

	// timestampKey is the key of the item that is the timestamp.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	TimestampKey string `json:"timestampKey,omitempty"`
}

// SchemeTimestamp says where the signed timestamp stands and how it is written.
type SchemeTimestamp struct {
	// header carries the timestamp.
	// +optional
	Header HeaderName `json:"header,omitempty"`

	// json is the dotted path of the timestamp in the body.
	// +optional
	JSON JSONPath `json:"json,omitempty"`

	// unit is how the timestamp is written; the default is Seconds.
	// +optional
	Unit TimestampUnit `json:"unit,omitempty"`
}

// TimestampUnit is how a timestamp is written.
//
// +kubebuilder:validation:Enum=Seconds;Milliseconds;RFC3339
type TimestampUnit string

// Timestamp units.
const (
	TimestampUnitSeconds      TimestampUnit = "Seconds"
	TimestampUnitMilliseconds TimestampUnit = "Milliseconds"
	TimestampUnitRFC3339      TimestampUnit = "RFC3339"
)

// RequestField names a value of the request.
//
// +kubebuilder:validation:XValidation:rule="has(self.header) != has(self.json)",message="exactly one of `header` and `json` must be set"
type RequestField struct {
	// header carries the value.
	// +optional
	Header HeaderName `json:"header,omitempty"`

	// json is the dotted path of the value in the body.
	// +optional
	JSON JSONPath `json:"json,omitempty"`
}

// SchemeKey says how the secret's text becomes key bytes.
//
// +kubebuilder:validation:MinProperties=1
type SchemeKey struct {
	// encoding is how the key is written in the Secret; the default is Raw.
	// +optional
	Encoding KeyEncoding `json:"encoding,omitempty"`

	// stripPrefix is removed before decoding, such as "whsec_".
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	StripPrefix string `json:"stripPrefix,omitempty"`
}

// KeyEncoding is how a key is written in the Secret.
//
// +kubebuilder:validation:Enum=Raw;Base64;Hex
type KeyEncoding string

// Key encodings.
const (
	KeyEncodingRaw    KeyEncoding = "Raw"
	KeyEncodingBase64 KeyEncoding = "Base64"
	KeyEncodingHex    KeyEncoding = "Hex"
)

// HeaderName is the name of a request header.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=128
// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9_-]+$')",message="must be the name of a header, such as X-Signature, without colon or value"
type HeaderName string

// HeaderValue is the value of a request header.
//
// +kubebuilder:validation:MaxLength=512
type HeaderValue string

// JSONPath is a dotted path into a JSON body, such as "data.object.id".
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=256
// +kubebuilder:validation:XValidation:rule="self.matches('^[^.$\\\\s{}]+([.][^.\\\\s{}]+)*$')",message="must be a dotted path into the body, such as data.object.id, without a leading $ and without spaces"
type JSONPath string
