// Package tracing tells an OpenTelemetry collector what became of requests and
// events: one span for receiving, one for storing, one for every attempt.
//
// A span is made when what it tells of is over, from what the data plane
// reports anyway: nothing on the hot path waits for it, and a nil [Tracer] costs
// a comparison. The event carries the W3C context from one span to the next,
// through memory and the store. Where the sender has none, the trace has the
// event's id.
//
// It imports ingest, deliver and event for what they report, and the
// OpenTelemetry SDK, which nothing else imports.
package tracing
