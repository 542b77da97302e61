package verify

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/postern-dev/postern/receiver/route"
)

// SecretNeed says whether an endpoint of a provider needs a Secret.
type SecretNeed string

// Secret needs.
const (
	// SecretRequired means that nothing can be verified without a key.
	SecretRequired SecretNeed = "Required"
	// SecretOptional means that the key material may come from an option or
	// from the provider's published keys instead.
	SecretOptional SecretNeed = "Optional"
	// SecretNone means that the provider proves nothing.
	SecretNone SecretNeed = "None"
)

// Class is the kind of proof that a provider gives.
type Class string

// Classes.
const (
	ClassHMAC        Class = "HMAC"
	ClassEd25519     Class = "Ed25519"
	ClassECDSA       Class = "ECDSA"
	ClassCertificate Class = "Certificate"
	ClassJWT         Class = "JWT"
	ClassStatic      Class = "StaticCredential"
	ClassNone        Class = "None"
)

// Identity says what makes two requests the same event.
type Identity string

// Identities.
const (
	// IdentityID means that an id, which the provider repeats when it sends an
	// event again, tells events apart; see Preset.DistinguishedBy.
	IdentityID Identity = "ID"
	// IdentityRequest means that there is no such id, but a signed time or nonce:
	// requests of one method, path, query, signed time and body are the same event.
	IdentityRequest Identity = "Request"
	// IdentityNone means that identical requests may be different events.
	IdentityNone Identity = "None"
)

// Evidence says where a fact about a provider comes from.
type Evidence string

// Evidence, from the firmest to the weakest.
const (
	EvidenceDocumented Evidence = "Documented"
	EvidenceSDK        Evidence = "SDK"
	EvidenceObserved   Evidence = "Observed"
	// EvidenceInferred is a conclusion from other facts; no event is dropped for it.
	EvidenceInferred Evidence = "Inferred"
)

// RetriedBy says who sends an event again that was not taken.
type RetriedBy string

// Senders of retries.
const (
	RetriedByProvider RetriedBy = "Provider"
	// RetriedByHand means that a person or a call of the provider's API does it.
	RetriedByHand  RetriedBy = "Hand"
	RetriedByNever RetriedBy = "Never"
)

// RetryBytes says whether a retry has the bytes of the first request.
type RetryBytes string

// Bytes of retries.
const (
	// RetryBytesIdentical means that signature and signed time are the first ones.
	RetryBytesIdentical RetryBytes = "Identical"
	// RetryBytesResigned means that each retry is signed anew.
	RetryBytesResigned RetryBytes = "Resigned"
	RetryBytesUnknown  RetryBytes = "Unknown"
)

// Retries are how a provider sends an event again.
type Retries struct {
	By RetriedBy `json:"by"`
	// For is how long it may go on; zero means unknown or never.
	For   time.Duration `json:"for"`
	Bytes RetryBytes    `json:"bytes"`
}

// Option is one entry of source.options that a preset knows.
type Option struct {
	Name        string `json:"name"`
	Description string `json:"description"`
}

// Variant is one declarative scheme of a preset. Presets whose keys decide how
// a request is signed have several.
type Variant struct {
	// KeyPrefix selects the variant for keys that begin with it; the longest
	// matching prefix wins.
	KeyPrefix string `json:"keyPrefix,omitempty"`
	// Scheme is in the form that users write in source.scheme.
	Scheme route.Scheme `json:"scheme"`
}

// Preset is what Postern knows about a provider. It is shared: do not modify it.
type Preset struct {
	Name        string   `json:"name"`
	DisplayName string   `json:"displayName"`
	Aliases     []string `json:"aliases,omitempty"`
	DocsURL     string   `json:"docsURL"`
	Class       Class    `json:"class"`

	// Headers carry the proof and what is signed with it.
	Headers []string `json:"headers,omitempty"`
	// DeliveryID and EventType say where these stand, in the words of a scheme's
	// content template; alternatives are separated by " | ". Empty means that
	// the provider sends none.
	DeliveryID string `json:"deliveryID,omitempty"`
	EventType  string `json:"eventType,omitempty"`
	// Identity says what makes two requests the same event. For ID that is
	// DeliveryID together with every part in DistinguishedBy.
	Identity Identity `json:"identity"`
	// DistinguishedBy are templates of what tells events apart that share a
	// delivery id or, for Request, a signed time: topic, source, hook, success,
	// nonce. A part that a request lacks is empty.
	DistinguishedBy []string `json:"distinguishedBy,omitempty"`
	// Evidence is where the identity is known from.
	Evidence Evidence `json:"evidence"`
	// Sources are the official pages or SDK files from which identity, retries
	// and handshake were read.
	Sources []string `json:"sources"`
	// IDSigned is true when the signature covers the delivery id, so that an
	// old request cannot be replayed under a fresh one.
	IDSigned bool `json:"idSigned"`

	// BodySigned is true when the proof covers the body. Where it does not, who
	// sees one request can send another body with its proof.
	BodySigned bool `json:"bodySigned"`
	// Unconfirmed says what about this row could not be confirmed by the
	// provider's own documentation or code; empty means nothing.
	Unconfirmed string `json:"unconfirmed,omitempty"`

	Retries Retries `json:"retries"`
	// AckLimit is how long it waits for an answer; zero means unknown.
	AckLimit time.Duration `json:"ackLimit"`
	// Tolerance is the default replay window into the past, zero for schemes
	// whose timestamp is not judged; FutureTolerance is the one into the future.
	Tolerance       time.Duration `json:"tolerance"`
	FutureTolerance time.Duration `json:"futureTolerance"`

	Secret          SecretNeed `json:"secret"`
	NeededOptions   []Option   `json:"neededOptions,omitempty"`
	OptionalOptions []Option   `json:"optionalOptions,omitempty"`
	// Methods are the request methods used, handshakes included.
	Methods []string `json:"methods"`
	// MaxBodyBytes is the default of an endpoint's maxBodyBytes: what the provider
	// says that it may send, at most what an endpoint can accept, or 1 MiB.
	MaxBodyBytes int64 `json:"maxBodyBytes"`
	// Handshake describes the challenge that is answered; empty means none.
	Handshake string `json:"handshake,omitempty"`
	// SetUp are the steps to take, in the words of the provider's console.
	SetUp []string `json:"setUp,omitempty"`
	// Variants are the declarative schemes; empty for schemes that need code.
	Variants []Variant `json:"variants,omitempty"`
}

// minWindow covers the retries of most providers.
const minWindow = 72 * time.Hour

// Window is the default of deduplication.windowSeconds: as long as the provider
// retries, and as long as a recorded request is in time.
func (p Preset) Window() time.Duration {
	return max(minWindow, p.Retries.For, p.Tolerance+p.FutureTolerance)
}

// usualMaxBodyBytes is the default for sources whose bodies have no documented size.
const usualMaxBodyBytes = 1 << 20

// MaxBodyBytes is the default of an endpoint's maxBodyBytes, in bytes. A name
// that is no provider's, such as "" for a declarative scheme, has 1 MiB.
func MaxBodyBytes(provider string) int64 {
	if p, ok := builtIn().byName[provider]; ok {
		return p.MaxBodyBytes
	}
	return usualMaxBodyBytes
}

// preset is a row of the table: what is published and how it is built.
type preset struct {
	Preset
	// special builds what no declarative scheme can say; nil for Variants.
	special func(material) (judge, error)
	// greet answers handshakes that come without proof, answer those that come
	// with it; both may be nil.
	greet  func(*greeting, *Request) (*Response, error)
	answer func(*greeting, proof, *Request) (*Response, error)
	// second is a JSON path that only a batch of events has. A batch has no
	// delivery id: that of its first event says nothing of the others.
	second string
	// handshakeMethods carry handshakes only, never an event.
	handshakeMethods []string
	// freshFor is the tolerance into the past without that for retries of the same
	// bytes.
	freshFor time.Duration
	// publicKeyOption names the option that may hold the key in the Secret's place.
	publicKeyOption string
	// adapt changes the schemes by the endpoint's options.
	adapt func(options map[string]string, schemes []Variant) ([]Variant, error)
}

type registry struct {
	sorted []Preset
	byName map[string]*preset
}

var builtIn = sync.OnceValue(func() *registry {
	r := &registry{byName: map[string]*preset{}}
	for _, rows := range table() {
		for _, row := range rows {
			p := complete(row)
			r.sorted = append(r.sorted, p.Preset)
			for _, name := range append([]string{p.Name}, p.Aliases...) {
				if r.byName[name] != nil {
					panic("verify: two presets are called " + name)
				}
				r.byName[name] = &p
			}
		}
	}
	slices.SortFunc(r.sorted, func(a, b Preset) int { return cmp.Compare(a.Name, b.Name) })
	return r
})

// Presets returns every built-in provider, sorted by name.
func Presets() []Preset { return slices.Clone(builtIn().sorted) }

// Lookup returns the built-in provider of that name or alias.
func Lookup(name string) (Preset, bool) {
	p, ok := builtIn().byName[name]
	if !ok {
		return Preset{}, false
	}
	return p.Preset, true
}
