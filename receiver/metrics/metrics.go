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
	receiveDuration *prometheus.HistogramVec
	secretUsed      *prometheus.CounterVec
	secretLastUsed  *prometheus.GaugeVec

	deliveries       *prometheus.CounterVec
	deliveryDuration *prometheus.HistogramVec
	eventAge         *prometheus.HistogramVec
	eventsPending    *prometheus.GaugeVec
	oldestPending    *prometheus.GaugeVec
	deadLetters      *prometheus.GaugeVec
	breakerOpen      *prometheus.GaugeVec

	storeUsedRatio prometheus.Gauge
	storeDurable   prometheus.Gauge
	routesLoaded   prometheus.Gauge

	eventTypes *eventTypes
	mu         sync.Mutex
	// endpoints are those of the current routes; gone are those whose series
	// were deleted last time and are deleted once more, because a request that
	// was in flight may have made one again.
	endpoints map[endpointName]string
	gone      map[endpointName]bool
}

type endpointName struct{ namespace, name string }

var (
	endpointLabels = []string{"namespace", "endpoint", "source"}
	targetLabels   = []string{"namespace", "endpoint", "target"}

	// receiveBuckets are dense below the 500 ms that senders should see and end
	// past the hard cap of the store step.
	receiveBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	// deliveryBuckets end past the longest usual target timeout.
	deliveryBuckets = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 15, 30, 60}
	// ageBuckets reach from a hand-over in memory to the three days after which
	// an event is dead by default.
	ageBuckets = []float64{.01, .05, .1, .5, 1, 5, 30, 60, 300, 1800, 3600, 14400, 86400, 259200}
)

// New makes the metrics and registers them.
func New(registerer prometheus.Registerer) *Metrics {
	m := &Metrics{
		eventTypes: newEventTypes(),
		endpoints:  map[endpointName]string{},
		gone:       map[endpointName]bool{},
	}
	m.initReceiving()
	m.initDelivering()
	m.initStore()
	registerer.MustRegister(m.collectors()...)
	return m
}

func (m *Metrics) initReceiving() {
	m.requests = counter("requests_total", "Requests by how they were answered.", endpointLabels, "outcome")
	m.rejections = counter("rejections_total",
		"Requests refused, or let through by Audit enforcement, by reason.", endpointLabels, "reason")
	m.eventsReceived = counter("events_received_total", "Events stored, by event type.", endpointLabels, "event_type")
	m.receiveDuration = histogram("receive_duration_seconds",
		"Time from a request's head to its answer.", receiveBuckets, endpointLabels)
	m.secretUsed = counter("secret_used_total",
		"Requests verified with each key of the endpoint's Secret.", endpointLabels, "key")
	m.secretLastUsed = gauge("secret_last_used_timestamp_seconds",
		"Time of the last request verified with each key of the endpoint's Secret.", endpointLabels, "key")
}

func (m *Metrics) initDelivering() {
	m.deliveries = counter("deliveries_total", "Attempts and deaths by outcome.", targetLabels, "outcome")
	m.deliveryDuration = histogram("delivery_duration_seconds",
		"Time that one attempt took.", deliveryBuckets, targetLabels)
	m.eventAge = histogram("event_age_seconds",
		"Time from an event's reception to its delivery.", ageBuckets, targetLabels)
	m.eventsPending = gauge("events_pending", "Events that wait for a target.", targetLabels)
	m.oldestPending = gauge("oldest_pending_seconds", "Age of the oldest event that waits for a target.", targetLabels)
	m.deadLetters = gauge("dead_letters", "Events that a target never took.", targetLabels)
	m.breakerOpen = gauge("breaker_open", "1 while a target gets only probes.", targetLabels)
}

func (m *Metrics) initStore() {
	single := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "postern", Name: name, Help: help})
	}
	m.storeUsedRatio = single("store_used_ratio", "Share of the store's capacity in use.")
	m.storeDurable = single("store_durable", "1 while the store's settings keep every acknowledged event.")
	m.routesLoaded = single("routes_loaded", "Endpoints in the current table.")
}

func (m *Metrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{
		m.requests, m.rejections, m.eventsReceived, m.receiveDuration, m.secretUsed, m.secretLastUsed,
		m.deliveries, m.deliveryDuration, m.eventAge,
		m.eventsPending, m.oldestPending, m.deadLetters, m.breakerOpen,
		m.storeUsedRatio, m.storeDurable, m.routesLoaded,
	}
}

func counter(name, help string, labels []string, more ...string) *prometheus.CounterVec {
	all := append(append([]string{}, labels...), more...)
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "postern", Name: name, Help: help}, all)
}

func gauge(name, help string, labels []string, more ...string) *prometheus.GaugeVec {
	all := append(append([]string{}, labels...), more...)
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "postern", Name: name, Help: help}, all)
}

func histogram(name, help string, buckets []float64, labels []string) *prometheus.HistogramVec {
	opts := prometheus.HistogramOpts{Namespace: "postern", Name: name, Help: help, Buckets: buckets}
	return prometheus.NewHistogramVec(opts, labels)
}
