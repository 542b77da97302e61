// Package event is the thing that travels: one verified request, ready to be
// stored and delivered.
//
// It imports only the standard library; ingest makes events, the queue stores
// them, deliver sends them.
package event

import (
	"net/http"
	"time"
)

// Event is one accepted request.
type Event struct {
	// ID is Postern's own id: 32 hex digits. With deduplication it is derived
	// from endpoint and delivery id, so that a duplicate has the id of the first.
	ID string
	// EndpointUID, Namespace and Endpoint say which WebhookEndpoint accepted it.
	EndpointUID string
	Namespace   string
	Endpoint    string
	// Source is the provider's name, or "scheme".
	Source string
	// Type is the event type; empty when the provider names none.
	Type string
	// DeliveryID is the provider's id, empty when it sent none.
	DeliveryID string
	ReceivedAt time.Time
	// Verified is false only for events let through by Audit enforcement.
	Verified bool
	// TraceParent is the W3C trace context to continue; empty when there is none.
	TraceParent string

	// Method, RawQuery, Header and Body are the request as it is forwarded:
	// hop-by-hop headers and consumed credentials are already removed.
	Method   string
	RawQuery string
	Header   http.Header
	Body     []byte
}

// Size approximates the memory held by the event, in bytes.
func (e *Event) Size() int64 {
	size := len(e.Body) + len(e.RawQuery) + 512
	for name, values := range e.Header {
		size += len(name) + 48
		for _, value := range values {
			size += len(value) + 16
		}
	}
	return int64(size)
}
