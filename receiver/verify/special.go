package verify

import (
	"context"
	"time"
)

// A judge decides whether a request proves knowledge of a key, and whether the
// proof is fresh. It is what a special scheme implements; everything around it
// (handshakes, delivery id, event type) is the same for all schemes.
//
// To add a special scheme NAME:
//
//  1. Write name.go with a type that implements judge and a constructor
//     func newName(m material) (judge, error). The constructor decodes keys and
//     options once and refuses what is wrong with them, naming the field
//     (source.options.X, or key "K" of the Secret) and never the value. The
//     judge returns refuse(Reason, "a sentence") for a request that fails: first
//     everything about the signature, then m.tolerance.check for the time.
//     Any other error means that the judgement could not be made.
//     Compare secrets and digests only with secretEqual.
//  2. Add a row to the presets file of its kind, with special: newName,
//     and Class, Headers, NeededOptions, OptionalOptions filled in. Keys come
//     from the Secret in m.keys; with publicKeyOption: "publicKey" the option of
//     that name joins them.
//  3. If a proof names its own delivery id or event type that no template
//     over headers and JSON can reach, set proof.id and proof.eventType. Where a
//     time or a nonce is signed, set proof.signedTime, and proof.signed if asked.
//  4. If handshakes come with it, set greet (for those without proof) or answer
//     (for those with it); see handshake.go.
//
// bodytoken.go is a short worked example.
type judge interface {
	judge(ctx context.Context, request *Request) (proof, error)
}

// A credentialed judge takes the secret itself from headers or query
// parameters, which must not be forwarded.
type credentialed interface {
	credentials() (headers, parameters []string)
}

// proof is what a judge knows about a request that holds.
type proof struct {
	// key names the key that matched.
	key string
	// id and eventType win over the preset's templates when they are set.
	id, eventType string
	// identity wins over the preset's templates as the key of the event: a judge
	// of batches makes it of all events in them.
	identity string
	// signedTime is the text of the signed time or nonce; judges whose signature
	// has none leave it empty.
	signedTime string
	// signed is the digest of what is signed, for material.marksSigned.
	signed string
	// handshake is the answer when the request was a verified handshake that
	// only the judge can answer; see also answer in preset.
	handshake *Response
}

// key is one active key: the text of the Secret's value, without the line
// break that editors and shells leave at its end.
type key struct {
	name string
	text string
}

// material is what a judge is built from.
type material struct {
	provider string
	keys     []key
	options  map[string]string
	// url is the public URL as configured; empty when unknown.
	url       string
	tolerance tolerance
	// marksSigned asks for proof.signed: the signature does not cover the id.
	marksSigned bool
	// fetch gets published keys; nil refuses to.
	fetch *Fetcher
}

// tolerance is the replay window; a zero past means that time is not judged.
type tolerance struct {
	past, future time.Duration
}

// check judges a signed time.
func (t tolerance) check(signed, now time.Time) error {
	if t.past == 0 {
		return nil
	}
	age := now.Sub(signed)
	switch {
	case age > t.past:
		return refusef(TimestampOutOfTolerance, "the request was signed %s ago, the tolerance is %s",
			age.Round(time.Second), t.past)
	case -age > t.future:
		return refusef(TimestampOutOfTolerance, "the request was signed %s in the future, the tolerance is %s",
			(-age).Round(time.Second), t.future)
	}
	return nil
}
