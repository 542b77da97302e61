package tracing

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/postern-dev/postern/receiver/deliver"
	"github.com/postern-dev/postern/receiver/event"
	"github.com/postern-dev/postern/receiver/ingest"
	"github.com/postern-dev/postern/receiver/queue"
)

// Names of spans.
const (
	spanReceive = "receive"
	spanStore   = "store"
	spanDeliver = "deliver"
)

// span is one that is over.
type span struct {
	name       string
	kind       trace.SpanKind
	identity   identity
	parent     trace.SpanContext
	began      time.Time
	ended      time.Time
	failure    string
	attributes []attribute.KeyValue
}

// Answered makes the span of one request. What was refused before it was
// verified begins a trace of its own: who cannot sign has no say in what is
// recorded.
func (t *Tracer) Answered(result ingest.Result) {
	if t == nil {
		return
	}
	received := span{name: spanReceive, kind: trace.SpanKindServer, ended: time.Now()}
	received.began = received.ended.Add(-result.Took)
	if result.Event != nil {
		joined := parse(result.Event.TraceParent)
		if !joined.IsSampled() {
			return
		}
		received.identity = identity{trace: joined.TraceID(), span: joined.SpanID()}
		received.parent = parse(result.TraceParent)
	} else {
		received.identity = identity{trace: newTraceID(), span: newSpanID()}
		if !t.sampled(received.identity.trace) {
			return
		}
	}
	if result.Status >= 500 {
		received.failure = string(result.Reason)
	}
	received.attributes = answerAttributes(result)
	t.emit(received)
}

// Stored makes the span of one step of the store.
func (t *Tracer) Stored(ev *event.Event, began time.Time, receipt queue.Receipt, err error) {
	if t == nil {
		return
	}
	parent := parse(ev.TraceParent)
	if !parent.IsSampled() {
		return
	}
	stored := span{
		name: spanStore, kind: trace.SpanKindClient, parent: parent,
		identity: identity{trace: parent.TraceID(), span: newSpanID()}, began: began, ended: time.Now(),
		attributes: append(eventAttributes(ev), attribute.Bool("postern.duplicate", receipt.Duplicate)),
	}
	if err != nil {
		stored.failure = err.Error()
	}
	t.emit(stored)
}

// Attempted makes the span of one attempt; it implements [deliver.Observer].
func (t *Tracer) Attempted(report deliver.Report) {
	if t == nil || report.Attempt == 0 || report.Event == nil {
		return
	}
	parent := parse(report.Event.TraceParent)
	if !parent.IsSampled() {
		return
	}
	attempt := span{
		name: spanDeliver, kind: trace.SpanKindClient, parent: parent,
		identity: identity{trace: parent.TraceID(), span: report.SpanID},
		began:    report.At, ended: report.At.Add(report.Latency),
		attributes: attemptAttributes(report),
	}
	if report.Result != deliver.ResultDelivered {
		attempt.failure = report.Reason
	}
	t.emit(attempt)
}

// Measured implements [deliver.Observer]; there is nothing to trace.
func (t *Tracer) Measured(deliver.Ref, queue.Depth) {}

// DeadExpired implements [deliver.Observer].
func (t *Tracer) DeadExpired(deliver.Ref, int) {}

// BreakerChanged implements [deliver.Observer]; there is nothing to trace.
func (t *Tracer) BreakerChanged(deliver.Ref, bool) {}

// Removed implements [deliver.Observer]; there is nothing to trace.
func (t *Tracer) Removed(deliver.Ref) {}

var _ deliver.Observer = (*Tracer)(nil)

// emit hands a span to the exporter's queue; it never waits.
func (t *Tracer) emit(s span) {
	ctx := context.WithValue(context.Background(), identityKey{}, s.identity)
	if s.parent.IsValid() {
		ctx = trace.ContextWithRemoteSpanContext(ctx, s.parent)
	}
	_, made := t.tracer.Start(ctx, s.name, trace.WithTimestamp(s.began), trace.WithSpanKind(s.kind),
		trace.WithAttributes(s.attributes...))
	if s.failure != "" {
		made.SetStatus(codes.Error, s.failure)
	}
	made.End(trace.WithTimestamp(s.ended))
}
