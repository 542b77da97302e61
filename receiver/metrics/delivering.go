package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/postern-dev/postern/receiver/deliver"
	"github.com/postern-dev/postern/receiver/queue"
)

var _ deliver.Observer = (*Metrics)(nil)

// Attempted counts one attempt, or one death without an attempt.
func (m *Metrics) Attempted(report deliver.Report) {
	namespace, endpoint, target := report.Ref.Namespace, report.Ref.Endpoint, report.Ref.Target
	m.deliveries.WithLabelValues(namespace, endpoint, target, string(report.Result)).Inc()
	if report.Attempt > 0 {
		m.deliveryDuration.WithLabelValues(namespace, endpoint, target).Observe(report.Latency.Seconds())
	}
	if report.Result == deliver.ResultDelivered && report.Event != nil {
		age := time.Since(report.Event.ReceivedAt).Seconds()
		m.eventAge.WithLabelValues(namespace, endpoint, target).Observe(max(age, 0))
	}
}

// Measured sets the depths of one queue.
func (m *Metrics) Measured(ref deliver.Ref, depth queue.Depth) {
	values := []string{ref.Namespace, ref.Endpoint, ref.Target}
	m.eventsPending.WithLabelValues(values...).Set(float64(depth.Pending))
	m.deadLetters.WithLabelValues(values...).Set(float64(depth.Dead))
	oldest := 0.0
	if !depth.Oldest.IsZero() {
		oldest = max(time.Since(depth.Oldest).Seconds(), 0)
	}
	m.oldestPending.WithLabelValues(values...).Set(oldest)
}

// DeadExpired counts dead letters that were given up because of their age.
func (m *Metrics) DeadExpired(ref deliver.Ref, count int) {
	m.deadExpired.WithLabelValues(ref.Namespace, ref.Endpoint, ref.Target).Add(float64(count))
}

// BreakerChanged tells whether a target gets only probes.
func (m *Metrics) BreakerChanged(ref deliver.Ref, open bool) {
	m.breakerOpen.WithLabelValues(ref.Namespace, ref.Endpoint, ref.Target).Set(boolean(open))
}

// Removed deletes the series of one target.
func (m *Metrics) Removed(ref deliver.Ref) {
	match := prometheus.Labels{"namespace": ref.Namespace, "endpoint": ref.Endpoint, "target": ref.Target}
	for _, vec := range m.ofTargets() {
		vec.DeletePartialMatch(match)
	}
}

func boolean(value bool) float64 {
	if value {
		return 1
	}
	return 0
}
