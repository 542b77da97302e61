package ingest

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"io"

	"github.com/postern-dev/postern/receiver/event"
	"github.com/postern-dev/postern/receiver/expr"
	"github.com/postern-dev/postern/receiver/header"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/table"
	"github.com/postern-dev/postern/receiver/verify"
)

// identify makes the event: which one it is, of which type, and what of the
// request travels on.
func (h *Handler) identify(x *exchange) (*answer, error) {
	r := x.route()
	x.sender = traceParent(x.request.Header)
	x.event = &event.Event{
		EndpointUID: r.UID,
		Namespace:   r.Namespace,
		Endpoint:    r.Name,
		Source:      r.Source.Label(),
		Type:        x.verdict.EventType,
		DeliveryID:  x.verdict.DeliveryID,
		ReceivedAt:  x.started,
		Verified:    x.verified && r.Source.Verifies(),
		TraceParent: x.sender,
		Method:      x.request.Method,
		RawQuery:    forwardableQuery(x.request.URL.RawQuery, x.endpoint.Verifier),
		Header:      header.Forwardable(x.request.Header, x.endpoint.Verifier.CredentialHeaders()),
		Body:        x.body,
	}
	if state := x.request.Header["Tracestate"]; len(state) > 0 {
		x.event.Header["Tracestate"] = state
	}
	x.facts = newFacts(x)
	// The event type comes first: the key may be made of it, and everything
	// may be made of the id that comes last.
	x.event.Type, x.untyped = x.endpoint.EventType(x.facts)
	h.expressionFailed(x, "eventType", x.untyped)
	x.facts.Event.Type = x.event.Type
	key, err := x.endpoint.DedupKey(x.facts, "")
	h.expressionFailed(x, "deduplication.key", err)
	if err := h.checkMemory(x); err != nil {
		return nil, err
	}
	x.identity = same(x, key)
	x.event.ID = x.identity.id
	x.facts.Event.ID = x.event.ID
	if h.JoinTrace != nil {
		x.event.TraceParent = h.JoinTrace(x.sender, x.event.ID)
	}
	return nil, nil
}

// match finds the targets that the event is for. Where that cannot be told the
// event joins the target's dead letters, which people can replay; a direct
// delivery has no dead letters, and its sender gets an error.
func (h *Handler) match(x *exchange) (*answer, error) {
	var err error
	x.targets, x.failed, err = x.endpoint.Match(x.facts, x.untyped)
	if err := h.checkMemory(x); err != nil {
		return nil, err
	}
	h.expressionFailed(x, "when", err)
	if len(x.failed) > 0 && x.reason == "" {
		x.reason = ReasonExpressionFailed
	}
	switch {
	case len(x.failed) > 0 && x.route().Delivery == route.DeliveryDirect:
		return nil, &Refusal{Reason: ReasonExpressionFailed, Detail: err.Error()}
	case len(x.targets)+len(x.failed) == 0:
		return newAnswer(OutcomeIgnored, 200, map[string]string{"status": string(OutcomeIgnored)}), nil
	}
	return nil, nil
}

// identity is what tells an event from others.
type identity struct {
	// id is the event's. A copy has that of the first where there are marks.
	id string
	// known is true if the id is made of what is the same in each copy. Otherwise
	// it is random, and identical requests are events of their own.
	known bool
	// replayMark is a second mark: a request with the same one is a copy even
	// under another id.
	replayMark string
}

// marked is true if the store is to remember the event.
func (i *identity) marked() bool { return i.known || i.replayMark != "" }

// same derives the identity from the endpoint's own deduplication key or, where
// that is empty, from what the provider tells events apart by.
func same(x *exchange, key string) identity {
	own := x.verdict.Same
	if x.route().Deduplication.WindowSeconds == 0 {
		return identity{id: queue.NewID()}
	}
	result := identity{id: queue.NewID(), known: true, replayMark: bodyMark(x)}
	switch {
	case key != "":
		result.id = x.digest("key", key)
	case own.By == verify.IdentityID:
		result.id = x.digest("id", own.Key)
		// Without a body the signature may cover the time alone, which two events share.
		if own.Signed != "" && result.replayMark == "" && len(x.body) > 0 {
			result.replayMark = x.digest("signed", x.request.Method, x.request.URL.EscapedPath(),
				x.request.URL.RawQuery, own.Signed)
		}
	case own.By == verify.IdentityRequest:
		result.id = x.digest("request", x.request.Method, x.request.URL.EscapedPath(), x.request.URL.RawQuery,
			own.SignedTime, x.bodyDigest())
	default:
		result.known = false
	}
	return result
}

// bodyMark is a second mark for endpoints that take the same body for a copy,
// because their senders sign neither id nor time.
func bodyMark(x *exchange) string {
	if x.route().Deduplication.ReplayGuard != route.ReplayGuardBody {
		return ""
	}
	return x.digest("body", x.bodyDigest())
}

func (x *exchange) bodyDigest() string {
	sum := x.reader.SHA256()
	return string(sum[:])
}

// digest makes the name of a mark. Different parts never give the same one, nor
// do other endpoints. A request that was let through unverified never shares
// one with a verified request: a forged id must not turn the real event into a
// duplicate.
func (x *exchange) digest(kind string, parts ...string) string {
	parts = append([]string{"v2", x.route().UID, kind}, parts...)
	if !x.verified {
		parts = append(parts, "unverified", x.bodyDigest())
	}
	sum := sha256.New()
	var length [binary.MaxVarintLen64]byte
	for _, part := range parts {
		_, _ = sum.Write(length[:binary.PutUvarint(length[:], uint64(len(part)))])
		_, _ = io.WriteString(sum, part)
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

// newFacts are what the endpoint's expressions see: the query and headers that
// targets get, never a credential.
func newFacts(x *exchange) *table.Facts {
	ev := x.event
	return table.NewFacts(expr.Event{
		Type:       ev.Type,
		Source:     ev.Source,
		ReceivedAt: ev.ReceivedAt,
	}, expr.Request{
		Method:   ev.Method,
		Path:     x.route().Path,
		RawQuery: ev.RawQuery,
		Header:   ev.Header,
		Body:     x.reader,
	})
}
