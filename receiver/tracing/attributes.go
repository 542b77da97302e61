package tracing

import (
	"go.opentelemetry.io/otel/attribute"

	"github.com/postern-dev/postern/receiver/deliver"
	"github.com/postern-dev/postern/receiver/event"
	"github.com/postern-dev/postern/receiver/ingest"
)

// Attributes hold names, ids and words of closed sets: never payload, never a
// header, never a path that somebody guessed.

func eventAttributes(ev *event.Event) []attribute.KeyValue {
	return []attribute.KeyValue{
		attribute.String("postern.namespace", ev.Namespace),
		attribute.String("postern.endpoint", ev.Endpoint),
		attribute.String("postern.event.id", ev.ID),
		attribute.String("postern.event.type", ev.Type),
		attribute.String("postern.source", ev.Source),
	}
}

func answerAttributes(result ingest.Result) []attribute.KeyValue {
	attributes := []attribute.KeyValue{
		attribute.String("postern.outcome", string(result.Outcome)),
		attribute.Int("http.response.status_code", result.Status),
	}
	if result.Reason != "" {
		attributes = append(attributes, attribute.String("postern.reason", string(result.Reason)))
	}
	switch {
	case result.Event != nil:
		attributes = append(attributes, eventAttributes(result.Event)...)
	case result.Endpoint != nil:
		attributes = append(attributes,
			attribute.String("postern.namespace", result.Endpoint.Namespace),
			attribute.String("postern.endpoint", result.Endpoint.Name),
			attribute.String("postern.source", result.Endpoint.Source.Label()))
	}
	return attributes
}

func attemptAttributes(report deliver.Report) []attribute.KeyValue {
	attributes := append(eventAttributes(report.Event),
		attribute.String("postern.target", report.Ref.Target),
		attribute.Int("postern.attempt", report.Attempt),
		attribute.String("postern.outcome", string(report.Result)))
	if report.Status != 0 {
		attributes = append(attributes, attribute.Int("http.response.status_code", report.Status))
	}
	if report.Reason != "" {
		attributes = append(attributes, attribute.String("postern.reason", report.Reason))
	}
	if report.RetryIn > 0 {
		attributes = append(attributes, attribute.Float64("postern.retry_in_seconds", report.RetryIn.Seconds()))
	}
	return attributes
}
