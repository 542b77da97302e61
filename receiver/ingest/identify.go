package ingest

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/postern-dev/postern/receiver/event"
	"github.com/postern-dev/postern/receiver/expr"
	"github.com/postern-dev/postern/receiver/header"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/table"
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
	x.facts = newFacts(x.event)
	// The event type comes first: the key may be made of it, and everything
	// may be made of the id that comes last.
	var err error
	x.event.Type, err = x.endpoint.EventType(x.facts)
	h.warnExpression(x, "eventType", err)
	x.facts.Event.Type = x.event.Type
	key, err := x.endpoint.DedupKey(x.facts, x.verdict.DeliveryID)
	h.warnExpression(x, "deduplication.key", err)
	x.event.ID = eventID(x, key)
	x.facts.Event.ID = x.event.ID
	if h.JoinTrace != nil {
		x.event.TraceParent = h.JoinTrace(x.sender, x.event.ID)
	}
	return nil, nil
}

// match finds the targets that the event is for.
func (h *Handler) match(x *exchange) (*answer, error) {
	targets, err := x.endpoint.Match(x.facts)
	h.warnExpression(x, "when", err)
	if len(targets) == 0 {
		return newAnswer(OutcomeIgnored, 200, map[string]string{"status": string(OutcomeIgnored)}), nil
	}
	x.targets = targets
	return nil, nil
}

// eventID is derived from the deduplication key, so that a copy has the id of
// the first. A request that was let through unverified never shares an id with
// a verified one: whoever forges an id must not turn the real event into a
// duplicate.
func eventID(x *exchange, key string) string {
	if x.route().Deduplication.WindowSeconds == 0 {
		return queue.NewID()
	}
	if key == "" {
		sum := sha256.Sum256(x.body)
		key = hex.EncodeToString(sum[:])
	}
	if !x.verified {
		sum := sha256.Sum256(x.body)
		key = "unverified\x00" + key + "\x00" + hex.EncodeToString(sum[:])
	}
	return shortHash("v1\x00" + x.route().UID + "\x00" + key)
}

// replayMark marks the body itself, for schemes that sign neither id nor time.
func replayMark(x *exchange) string {
	sum := sha256.Sum256(x.body)
	mark := "body"
	if !x.verified {
		mark = "unverified body"
	}
	return shortHash(mark + "\x00" + x.route().UID + "\x00" + string(sum[:]))
}

func shortHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}

// newFacts are what the endpoint's expressions see: the headers that targets
// get, never a credential.
func newFacts(ev *event.Event) *table.Facts {
	return table.NewFacts(expr.Event{
		Type:       ev.Type,
		Source:     ev.Source,
		ReceivedAt: ev.ReceivedAt,
	}, ev.Header, ev.Body)
}
