package tracing

import (
	"context"
	"encoding/binary"
	"math/rand/v2"

	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

const headerName = "traceparent"

// Join returns the W3C context that an event travels with: the span of its
// reception, as a child of the sender's span if there is one. The sender's
// decision to record holds; without one, the rate decides.
func (t *Tracer) Join(sender, eventID string) string {
	parent := parse(sender)
	id, sampled := parent.TraceID(), parent.IsSampled()
	if !parent.IsValid() {
		var err error
		if id, err = trace.TraceIDFromHex(eventID); err != nil {
			return sender
		}
		sampled = t.sampled(id)
	}
	joined := trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: id, SpanID: newSpanID(), TraceFlags: trace.TraceFlags(0).WithSampled(sampled),
	})
	return format(joined)
}

// sampled decides on a trace that no sender has decided on.
func (t *Tracer) sampled(id trace.TraceID) bool {
	judged := t.ratio.ShouldSample(sdktrace.SamplingParameters{ParentContext: context.Background(), TraceID: id})
	return judged.Decision == sdktrace.RecordAndSample
}

// parse reads a W3C traceparent; the result is invalid if the text is.
func parse(text string) trace.SpanContext {
	if text == "" {
		return trace.SpanContext{}
	}
	carrier := propagation.MapCarrier{headerName: text}
	return trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), carrier))
}

func format(of trace.SpanContext) string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(trace.ContextWithSpanContext(context.Background(), of), carrier)
	return carrier[headerName]
}

func newSpanID() (id trace.SpanID) {
	// All zeros is not a valid id.
	binary.LittleEndian.PutUint64(id[:], rand.Uint64()|1) //nolint:gosec // an id, no secret
	return id
}

func newTraceID() (id trace.TraceID) {
	binary.LittleEndian.PutUint64(id[:8], rand.Uint64()|1) //nolint:gosec // an id, no secret
	binary.LittleEndian.PutUint64(id[8:], rand.Uint64())   //nolint:gosec // an id, no secret
	return id
}

// identity is what the id of a span must be, because others know it already:
// the event carries it, and the target got it. The SDK asks for ids with a
// context and nothing else.
type identity struct {
	trace trace.TraceID
	span  trace.SpanID
}

type identityKey struct{}

// generator gives spans the identity that their context has.
type generator struct{}

var _ sdktrace.IDGenerator = generator{}

// NewIDs is called for the first span of a trace.
func (generator) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	chosen, _ := ctx.Value(identityKey{}).(identity)
	return chosen.trace, chosen.span
}

// NewSpanID is called for every other one.
func (generator) NewSpanID(ctx context.Context, _ trace.TraceID) trace.SpanID {
	chosen, _ := ctx.Value(identityKey{}).(identity)
	return chosen.span
}
