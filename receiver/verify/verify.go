// Package verify judges whether a request really comes from its provider. It
// holds the declarative scheme engine, the schemes that need code, and the
// table of built-in providers.
//
// It imports route, body, expr, JOSE and certificate libraries, and the standard library.
// It knows nothing of Kubernetes, Redis or the HTTP server, reads no clock and
// keeps no state but a bounded cache of fetched public keys.
package verify

import (
	"context"
	"net/http"
	"time"

	"github.com/postern-dev/postern/receiver/body"
	"github.com/postern-dev/postern/receiver/route"
)

// Request is what a provider sent, as received. A Request belongs to one goroutine:
// judging it keeps a [body.Reader] in it. Others take a copy of their own.
type Request struct {
	Method string
	// RawQuery is the query string of the request, without the question mark.
	RawQuery string
	Header   http.Header
	// Body is the raw bytes, before any decoding.
	Body []byte
	// Reader reads Body, within the bounds that its maker gave it. If it is nil,
	// or reads another body, reading begins anew.
	Reader *body.Reader
	// Now is the time at which the request was received.
	Now time.Time
}

// read returns the reader of the body. Requests are copied and changed by those
// who explain a refusal, and the copy must not be read as the first one was.
func (r *Request) read() *body.Reader {
	if r.Reader == nil || !r.Reader.Reads(r.Header, r.Body) {
		r.Reader = r.Reader.Of(r.Header, r.Body)
	}
	return r.Reader
}

// Verdict is the result for a request that is what it claims to be.
type Verdict struct {
	// KeyName names the key that matched; empty for schemes without a Secret.
	KeyName string
	// DeliveryID and EventType are the provider's; empty when it sent none.
	DeliveryID string
	EventType  string
	// Same says which other requests are the same event.
	Same Same
	// Handshake is the answer to give when the request was a handshake, which
	// makes no event.
	Handshake *Response
}

// Response is a handshake's answer, exactly as the provider wants it.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
	// Offered is the key that a provider proposed in a handshake trusted on
	// first use. It is not trusted until somebody puts it into the Secret.
	Offered route.SecretBytes
}

// Verifier judges the requests of one endpoint. It is safe for concurrent use.
type Verifier interface {
	// Verify returns a verdict, or a [*Rejection] that says why the request is
	// refused. Any other error means that the judgement could not be made (a
	// public key could not be fetched); the sender should try again.
	Verify(ctx context.Context, request *Request) (Verdict, error)
	// Methods are the request methods the source uses, upper-case, handshakes included.
	Methods() []string
	// CredentialHeaders are the canonical names of headers whose value is itself
	// the secret; they are not forwarded.
	CredentialHeaders() []string
}
