package metrics

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"

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
	for _, endpoint := range routes {
		current[endpointName{endpoint.Namespace, endpoint.Name}] = m.placeKeys(endpoint)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
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

// placeKeys tells which keys of an endpoint are active, and which of them is the current.
func (m *Metrics) placeKeys(endpoint *route.Endpoint) known {
	namespace, name, source := labels(endpoint)
	here := known{source: source}
	for i, key := range endpoint.Keys {
		here.keys = append(here.keys, key.Name)
		m.secretKeyPosition.WithLabelValues(namespace, name, source, key.Name).Set(float64(i + 1))
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
