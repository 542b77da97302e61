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
	ID string `json:"id"`
	// EndpointUID, Namespace and Endpoint say which WebhookEndpoint accepted it.
	EndpointUID string `json:"endpointUID"`
	Namespace   string `json:"namespace"`
	Endpoint    string `json:"endpoint"`
	// Source is the provider's name, or "scheme".
	Source string `json:"source"`
	// Type is the event type; empty when the provider names none.
	Type string `json:"type,omitempty"`
	// DeliveryID is the provider's id, empty when it sent none.
	DeliveryID string    `json:"deliveryID,omitempty"`
	ReceivedAt time.Time `json:"receivedAt"`
	// Verified is false only for events let through by Audit enforcement.
	Verified bool `json:"verified"`
	// TraceParent is the W3C trace context to continue; empty when there is none.
	TraceParent string `json:"traceParent,omitempty"`

	// Method, RawQuery, Header and Body are the request as it is forwarded:
	// hop-by-hop headers and consumed credentials are already removed. In JSON the
	// body is base64, because it is bytes and need not be text.
	Method   string      `json:"method"`
	RawQuery string      `json:"rawQuery,omitempty"`
	Header   http.Header `json:"header,omitempty"`
	Body     []byte      `json:"body,omitempty"`
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
