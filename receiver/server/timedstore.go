package server

import (
	"context"
	"time"

	"github.com/postern-dev/postern/receiver/metrics"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/tracing"
)

// timedStore measures the one step that a sender waits for: most of it is the
// disk's.
type timedStore struct {
	queue.Admitter
	metrics *metrics.Metrics
	tracer  *tracing.Tracer
}

// Admit implements [queue.Admitter].
func (s timedStore) Admit(ctx context.Context, admission *queue.Admission) (queue.Receipt, error) {
	began := time.Now()
	receipt, err := s.Admitter.Admit(ctx, admission)
	s.metrics.Stored(time.Since(began), err)
	s.tracer.Stored(admission.Event, began, receipt, err)
	return receipt, err
}
