package metrics

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/postern-dev/postern/receiver/deliver"
	"github.com/postern-dev/postern/receiver/route"
)

type vector interface {
	DeletePartialMatch(prometheus.Labels) int
}

func (m *Metrics) ofEndpoints() []vector {
	return []vector{
		m.requests, m.rejections, m.eventsReceived, m.duplicates, m.receiveDuration, m.expressionFailures,
		m.secretUsed, m.secretLastUsed, m.secretKeyPosition, m.dedupWindow,
	}
}

func (m *Metrics) ofTargets() []vector {
	return []vector{
		m.deliveries, m.deliveryDuration, m.eventAge,
		m.eventsPending, m.oldestPending, m.deadLetters, m.deadExpired, m.breakerOpen,
	}
}

func (m *Metrics) ofKeys() []vector {
	return []vector{m.secretUsed, m.secretLastUsed, m.secretKeyPosition}
}

// SetRoutes makes routes the known endpoints, and refused the number of those
// that do not load. It deletes the series of endpoints that are gone or have
// another source now, and of keys that are no longer active.
func (m *Metrics) SetRoutes(routes []*route.Endpoint, refused int) {
	m.eventTypes.replace(routes)
	m.routesLoaded.Set(float64(len(routes)))
	m.routesRefused.Set(float64(refused))
	current := make(map[endpointName]known, len(routes))
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, endpoint := range routes {
		name := endpointName{endpoint.Namespace, endpoint.Name}
		now := m.placeKeys(endpoint)
		if before, ok := m.endpoints[name]; !ok || before.source != now.source || !slices.Equal(before.targets, now.targets) {
			m.begin(endpoint)
		}
		current[name] = now
	}
	for name, before := range m.endpoints {
		now, stays := current[name]
		switch {
		case !stays:
			m.gone[name] = true
			m.forget(name)
		case now.source != before.source:
			m.deleteOf(m.ofEndpoints(), name, "source", before.source)
		default:
			m.forgetKeys(name, before.keys, now.keys)
		}
	}
	m.endpoints = current
}

var (
	outcomes   = []string{"accepted", "duplicate", "ignored", "handshake", "rejected"}
	sameBodies = []string{"same", "different", "unknown"}
	results    = []deliver.Result{deliver.ResultDelivered, deliver.ResultRetry, deliver.ResultDead}
)

// begin makes the counters of an endpoint and its targets at zero. Prometheus
// sees no increase in the first sample of a series, so that without these an
// alert would miss the first event.
func (m *Metrics) begin(endpoint *route.Endpoint) {
	namespace, name, source := labels(endpoint)
	for _, outcome := range outcomes {
		m.requests.WithLabelValues(namespace, name, source, outcome)
	}
	for _, body := range sameBodies {
		m.duplicates.WithLabelValues(namespace, name, source, body)
	}
	for _, field := range expressionsOf(endpoint) {
		m.expressionFailures.WithLabelValues(namespace, name, source, field)
	}
	for i := range endpoint.Targets {
		target := endpoint.Targets[i].Name
		for _, result := range results {
			m.deliveries.WithLabelValues(namespace, name, target, string(result))
		}
		m.deadExpired.WithLabelValues(namespace, name, target)
	}
}

// expressionsOf lists the fields of an endpoint whose expressions can fail.
func expressionsOf(endpoint *route.Endpoint) []string {
	var fields []string
	if endpoint.EventTypeExpression != "" {
		fields = append(fields, "eventType")
	}
	if endpoint.Deduplication.KeyExpression != "" {
		fields = append(fields, "deduplication.key")
	}
	if slices.ContainsFunc(endpoint.Targets, func(t route.Target) bool { return t.WhenExpression != "" }) {
		fields = append(fields, "when")
	}
	return fields
}

// placeKeys tells which keys of an endpoint are active, and which of them is the current.
func (m *Metrics) placeKeys(endpoint *route.Endpoint) known {
	namespace, name, source := labels(endpoint)
	here := known{source: source}
	for i, key := range endpoint.Keys {
		here.keys = append(here.keys, key.Name)
		m.secretKeyPosition.WithLabelValues(namespace, name, source, key.Name).Set(float64(i + 1))
		m.secretUsed.WithLabelValues(namespace, name, source, key.Name)
	}
	for i := range endpoint.Targets {
		here.targets = append(here.targets, endpoint.Targets[i].Name)
	}
	return here
}

func (m *Metrics) forgetKeys(name endpointName, before, now []string) {
	for _, key := range before {
		if !slices.Contains(now, key) {
			m.deleteOf(m.ofKeys(), name, "key", key)
		}
	}
}

// Sweep deletes once more the series of endpoints that went: a request or a
// delivery that was in flight may have made one again.
func (m *Metrics) Sweep() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name := range m.gone {
		if _, back := m.endpoints[name]; !back {
			m.forget(name)
		}
		delete(m.gone, name)
	}
}

func (m *Metrics) forget(name endpointName) {
	m.deleteOf(m.ofEndpoints(), name, "", "")
	m.deleteOf(m.ofTargets(), name, "", "")
}

func (m *Metrics) deleteOf(vectors []vector, name endpointName, label, value string) {
	match := prometheus.Labels{"namespace": name.namespace, "endpoint": name.name}
	if label != "" {
		match[label] = value
	}
	for _, vec := range vectors {
		vec.DeletePartialMatch(match)
	}
}
