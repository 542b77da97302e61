package dataplane

import (
	"context"
	"log/slog"

	"github.com/postern-dev/postern/receiver/deliver"
	"github.com/postern-dev/postern/receiver/ingest"
	"github.com/postern-dev/postern/receiver/queue"
)

// detail logs every answer and every attempt at the level debug. At other
// levels it costs a comparison.
type detail struct{ log *slog.Logger }

var _ deliver.Observer = detail{}

func (d detail) on() bool {
	return d.log != nil && d.log.Enabled(context.Background(), slog.LevelDebug)
}

// beside tells another observer too; nil is none.
func (d detail) beside(other func(ingest.Result)) func(ingest.Result) {
	return func(result ingest.Result) {
		if d.on() {
			d.answered(result)
		}
		if other != nil {
			other(result)
		}
	}
}

func (d detail) answered(result ingest.Result) {
	attrs := []any{
		slog.String("outcome", string(result.Outcome)), slog.Int("status", result.Status),
		slog.String("client", result.Client.String()), slog.Duration("took", result.Took),
	}
	if result.Endpoint != nil {
		attrs = append(attrs, slog.String("endpoint", result.Endpoint.Namespace+"/"+result.Endpoint.Name))
	}
	if result.Event != nil {
		attrs = append(attrs, slog.String("event", result.Event.ID))
	}
	if result.Reason != "" {
		attrs = append(attrs, slog.String("reason", string(result.Reason)))
	}
	d.log.Debug("Answered request", attrs...)
}

// Attempted implements [deliver.Observer].
func (d detail) Attempted(report deliver.Report) {
	if !d.on() || report.Event == nil {
		return
	}
	d.log.Debug("Attempted delivery",
		slog.String("endpoint", report.Ref.Namespace+"/"+report.Ref.Endpoint), slog.String("target", report.Ref.Target),
		slog.String("event", report.Event.ID), slog.Int("attempt", report.Attempt),
		slog.String("outcome", string(report.Result)), slog.String("reason", report.Reason),
		slog.Int("status", report.Status), slog.Duration("took", report.Latency), slog.Duration("retryIn", report.RetryIn))
}

// Measured implements [deliver.Observer].
func (d detail) Measured(deliver.Ref, queue.Depth) {}

// DeadExpired implements [deliver.Observer].
func (d detail) DeadExpired(deliver.Ref, int) {}

// BreakerChanged implements [deliver.Observer]; the engine logs it itself.
func (d detail) BreakerChanged(deliver.Ref, bool) {}

// Removed implements [deliver.Observer].
func (d detail) Removed(deliver.Ref) {}
