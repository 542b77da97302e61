package metrics

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are the receiver's metrics; make them with [New]. All methods may be
// called concurrently.
type Metrics struct {
	requests        *prometheus.CounterVec
	rejections      *prometheus.CounterVec
	eventsReceived  *prometheus.CounterVec
	duplicates      *prometheus.CounterVec
	receiveDuration *prometheus.HistogramVec

	expressionFailures *prometheus.CounterVec

	secretUsed        *prometheus.CounterVec
	secretLastUsed    *prometheus.GaugeVec
	secretKeyPosition *prometheus.GaugeVec

	deliveries       *prometheus.CounterVec
	deliveryDuration *prometheus.HistogramVec
	eventAge         *prometheus.HistogramVec
	eventsPending    *prometheus.GaugeVec
	oldestPending    *prometheus.GaugeVec
	deadLetters      *prometheus.GaugeVec
	deadExpired      *prometheus.CounterVec
	breakerOpen      *prometheus.GaugeVec

	storeDuration   *prometheus.HistogramVec
	namespaceStored *prometheus.GaugeVec
	dedupWindow     *prometheus.GaugeVec
	marksDropped    prometheus.Counter

	storeUsedRatio prometheus.Gauge
	storeUp        prometheus.Gauge
	storeDurable   prometheus.Gauge
	storeOrphans   prometheus.Gauge
	ready          prometheus.Gauge
	routesLoaded   prometheus.Gauge
	routesRefused  prometheus.Gauge

	eventTypes *eventTypes
	mu         sync.Mutex
	// endpoints are those of the current routes; gone are those whose series
	// were deleted last time and are deleted once more, because a request that
	// was in flight may have made one again.
	endpoints map[endpointName]known
	gone      map[endpointName]bool
}

type endpointName struct{ namespace, name string }

// known is what the labels of an endpoint's series are made of.
type known struct {
	source  string
	keys    []string
	targets []string
}

// New makes the metrics and registers them.
func New(registerer prometheus.Registerer) *Metrics {
	m := &Metrics{
		requests:        requests.CounterVec(),
		rejections:      rejections.CounterVec(),
		eventsReceived:  eventsReceived.CounterVec(),
		duplicates:      duplicates.CounterVec(),
		receiveDuration: receiveDuration.HistogramVec(),

		expressionFailures: expressionFailures.CounterVec(),

		secretUsed:        secretUsed.CounterVec(),
		secretLastUsed:    secretLastUsed.GaugeVec(),
		secretKeyPosition: secretKeyPosition.GaugeVec(),

		deliveries:       deliveries.CounterVec(),
		deliveryDuration: deliveryDuration.HistogramVec(),
		eventAge:         eventAge.HistogramVec(),
		eventsPending:    eventsPending.GaugeVec(),
		oldestPending:    oldestPending.GaugeVec(),
		deadLetters:      deadLetters.GaugeVec(),
		deadExpired:      deadExpired.CounterVec(),
		breakerOpen:      breakerOpen.GaugeVec(),

		storeDuration:   storeDuration.HistogramVec(),
		namespaceStored: namespaceStored.GaugeVec(),
		dedupWindow:     dedupWindow.GaugeVec(),
		marksDropped:    dedupMarksDropped.Counter(),
		storeUsedRatio:  storeUsedRatio.Gauge(),
		storeUp:         storeUp.Gauge(),
		storeDurable:    storeDurable.Gauge(),
		storeOrphans:    storeOrphans.Gauge(),
		ready:           receiverReady.Gauge(),
		routesLoaded:    routesLoaded.Gauge(),
		routesRefused:   routesRefused.Gauge(),

		eventTypes: newEventTypes(),
		endpoints:  map[endpointName]known{},
		gone:       map[endpointName]bool{},
	}
	registerer.MustRegister(m.collectors()...)
	return m
}

func (m *Metrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{
		m.requests, m.rejections, m.eventsReceived, m.duplicates, m.receiveDuration, m.expressionFailures,
		m.secretUsed, m.secretLastUsed, m.secretKeyPosition,
		m.deliveries, m.deliveryDuration, m.eventAge,
		m.eventsPending, m.oldestPending, m.deadLetters, m.deadExpired, m.breakerOpen,
		m.storeDuration, m.namespaceStored, m.dedupWindow, m.marksDropped,
		m.storeUsedRatio, m.storeUp, m.storeDurable, m.storeOrphans,
		m.ready, m.routesLoaded, m.routesRefused,
	}
}
