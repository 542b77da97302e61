package metrics

import (
	"time"

	"github.com/postern-dev/postern/receiver/route"
)

// Answered counts one request by its outcome. A nil endpoint is a request to
// a path that nobody configured; all of those share one label set.
func (m *Metrics) Answered(endpoint *route.Endpoint, outcome string, took time.Duration) {
	namespace, name, source := labels(endpoint)
	m.requests.WithLabelValues(namespace, name, source, outcome).Inc()
	m.receiveDuration.WithLabelValues(namespace, name, source).Observe(took.Seconds())
}

// Rejected counts one refusal, or one failed verification that Audit let through.
func (m *Metrics) Rejected(endpoint *route.Endpoint, reason string) {
	namespace, name, source := labels(endpoint)
	m.rejections.WithLabelValues(namespace, name, source, reason).Inc()
}

// Received counts one stored event. Types beyond those configured and the
// first 64 of an endpoint count as "other".
func (m *Metrics) Received(endpoint *route.Endpoint, eventType string) {
	namespace, name, source := labels(endpoint)
	m.eventsReceived.WithLabelValues(namespace, name, source, m.eventTypes.label(endpoint.UID, eventType)).Inc()
}

// Duplicate counts one verified request that was answered duplicate. body is same,
// different or unknown: whether it has the body of the first.
func (m *Metrics) Duplicate(endpoint *route.Endpoint, body string) {
	namespace, name, source := labels(endpoint)
	m.duplicates.WithLabelValues(namespace, name, source, body).Inc()
}

// ExpressionFailed counts one event on which the expression of a field failed.
func (m *Metrics) ExpressionFailed(endpoint *route.Endpoint, field string) {
	namespace, name, source := labels(endpoint)
	m.expressionFailures.WithLabelValues(namespace, name, source, field).Inc()
}

// Buried counts one event that joined a target's dead letters when it came.
func (m *Metrics) Buried(endpoint *route.Endpoint, target string) {
	namespace, name, _ := labels(endpoint)
	m.deliveries.WithLabelValues(namespace, name, target, "dead").Inc()
}

// KeyUsed counts one request that was verified with the named key, and
// remembers when it was.
func (m *Metrics) KeyUsed(endpoint *route.Endpoint, key string) {
	namespace, name, source := labels(endpoint)
	m.secretUsed.WithLabelValues(namespace, name, source, key).Inc()
	m.secretLastUsed.WithLabelValues(namespace, name, source, key).SetToCurrentTime()
}

func labels(endpoint *route.Endpoint) (namespace, name, source string) {
	if endpoint == nil {
		return "", "", ""
	}
	return endpoint.Namespace, endpoint.Name, endpoint.Source.Label()
}
