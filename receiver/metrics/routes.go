package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/postern-dev/postern/receiver/route"
)

type vector interface {
	DeletePartialMatch(prometheus.Labels) int
}

func (m *Metrics) ofEndpoints() []vector {
	return []vector{m.requests, m.rejections, m.eventsReceived, m.receiveDuration, m.secretUsed, m.secretLastUsed}
}

func (m *Metrics) ofTargets() []vector {
	return []vector{
		m.deliveries, m.deliveryDuration, m.eventAge,
		m.eventsPending, m.oldestPending, m.deadLetters, m.breakerOpen,
	}
}

// SetRoutes makes routes the known endpoints and deletes the series of those
// that are gone, or that have another source now.
func (m *Metrics) SetRoutes(routes []*route.Endpoint) {
	m.eventTypes.replace(routes)
	m.routesLoaded.Set(float64(len(routes)))
	current := make(map[endpointName]string, len(routes))
	for _, endpoint := range routes {
		current[endpointName{endpoint.Namespace, endpoint.Name}] = endpoint.Source.Label()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, source := range m.endpoints {
		now, stays := current[name]
		switch {
		case !stays:
			m.gone[name] = true
			m.forget(name)
		case now != source:
			m.deleteOf(m.ofEndpoints(), name, "source", source)
		}
	}
	m.endpoints = current
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

// StoreUsed sets the share of the store's capacity in use, 0 to 1.
func (m *Metrics) StoreUsed(ratio float64) { m.storeUsedRatio.Set(ratio) }

// StoreDurable tells whether the store's settings keep every acknowledged event.
func (m *Metrics) StoreDurable(durable bool) { m.storeDurable.Set(boolean(durable)) }
