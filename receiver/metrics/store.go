package metrics

import (
	"time"

	"github.com/postern-dev/postern/receiver/route"
)

// Outcomes of the step that stores an event.
const (
	storeOK     = "ok"
	storeFailed = "failed"
)

// Stored counts one step of the store: one event, or its duplicate. A step that
// the store never saw, because it is full, counts as well.
func (m *Metrics) Stored(took time.Duration, err error) {
	outcome := storeOK
	if err != nil {
		outcome = storeFailed
	}
	m.storeDuration.WithLabelValues(outcome).Observe(took.Seconds())
}

// StoreUsed sets the share of the store's capacity in use, 0 to 1.
func (m *Metrics) StoreUsed(ratio float64) { m.storeUsedRatio.Set(ratio) }

// NamespaceStored sets about how many bytes the events of a namespace take in the
// store; with 0 there is no series.
func (m *Metrics) NamespaceStored(namespace string, bytes int64) {
	if bytes <= 0 {
		m.namespaceStored.DeleteLabelValues(namespace)
		return
	}
	m.namespaceStored.WithLabelValues(namespace).Set(float64(bytes))
}

// StoreOrphans sets how many endpoints the store has events of that have neither
// a route nor a tombstone.
func (m *Metrics) StoreOrphans(count int) { m.storeOrphans.Set(float64(count)) }

// DedupWindow sets how far back copies of an endpoint's events are recognised.
func (m *Metrics) DedupWindow(endpoint *route.Endpoint, window time.Duration) {
	m.dedupWindow.WithLabelValues(endpoint.Namespace, endpoint.Name).Set(window.Seconds())
}

// MarksDropped counts deduplication marks that gave way.
func (m *Metrics) MarksDropped(count int64) { m.marksDropped.Add(float64(count)) }

// StoreUp tells whether the store answers.
func (m *Metrics) StoreUp(up bool) { m.storeUp.Set(boolean(up)) }

// StoreDurable tells whether the store's settings keep every acknowledged event.
func (m *Metrics) StoreDurable(durable bool) { m.storeDurable.Set(boolean(durable)) }

// Ready tells whether the receiver is ready.
func (m *Metrics) Ready(ready bool) { m.ready.Set(boolean(ready)) }
