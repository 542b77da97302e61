package metrics

import "github.com/postern-dev/postern/receiver/metrics/definition"

var (
	endpointLabels = []string{"namespace", "endpoint", "source"}
	targetLabels   = []string{"namespace", "endpoint", "target"}

	// receiveBuckets are dense below the 500 ms that senders should see and end
	// past the hard cap of the store step.
	receiveBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	// storeBuckets reach from a solid-state disk's fsync to the cap of the step.
	storeBuckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5}
	// deliveryBuckets end past the longest usual target timeout.
	deliveryBuckets = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 15, 30, 60}
	// ageBuckets reach from a hand-over in memory to the three days after which
	// an event is dead by default.
	ageBuckets = []float64{.01, .05, .1, .5, 1, 5, 30, 60, 300, 1800, 3600, 14400, 86400, 259200}
)

func ofEndpoint(more ...string) []string {
	return append(append([]string{}, endpointLabels...), more...)
}
func ofTarget(more ...string) []string { return append(append([]string{}, targetLabels...), more...) }

// What happens to requests.
var (
	requests = definition.Definition{
		Name: "requests_total", Kind: definition.Counter, Labels: ofEndpoint("outcome"),
		Help: "Requests by how they were answered.",
	}
	rejections = definition.Definition{
		Name: "rejections_total", Kind: definition.Counter, Labels: ofEndpoint("reason"),
		Help: "Requests refused, or let through by Audit enforcement, by reason.",
	}
	eventsReceived = definition.Definition{
		Name: "events_received_total", Kind: definition.Counter, Labels: ofEndpoint("event_type"),
		Help: "Events stored, by event type.",
	}
	duplicates = definition.Definition{
		Name: "duplicates_total", Kind: definition.Counter, Labels: ofEndpoint("body"),
		Help: "Verified requests answered duplicate, by whether the body is that of the first.",
	}
	receiveDuration = definition.Definition{
		Name: "receive_duration_seconds", Kind: definition.Histogram, Labels: ofEndpoint(), Buckets: receiveBuckets,
		Help: "Time from a request's head to its answer.",
	}
	expressionFailures = definition.Definition{
		Name: "expression_failures_total", Kind: definition.Counter, Labels: ofEndpoint("field"),
		Help: "Events on which an expression failed, by the field that has it.",
	}
	secretUsed = definition.Definition{
		Name: "secret_used_total", Kind: definition.Counter, Labels: ofEndpoint("key"),
		Help: "Requests verified with each key of the endpoint's Secret.",
	}
	secretLastUsed = definition.Definition{
		Name: "secret_last_used_timestamp_seconds", Kind: definition.Gauge, Labels: ofEndpoint("key"),
		Help: "Time of the last request verified with each key of the endpoint's Secret.",
	}
	secretKeyPosition = definition.Definition{
		Name: "secret_key_position", Kind: definition.Gauge, Labels: ofEndpoint("key"),
		Help: "Place of each active key in secretRef.keys: 1 for the current one, more for those being rotated out.",
	}
)

// What happens to events.
var (
	deliveries = definition.Definition{
		Name: "deliveries_total", Kind: definition.Counter, Labels: ofTarget("outcome"),
		Help: "Attempts and deaths by outcome.",
	}
	deliveryDuration = definition.Definition{
		Name: "delivery_duration_seconds", Kind: definition.Histogram, Labels: ofTarget(), Buckets: deliveryBuckets,
		Help: "Time that one attempt took.",
	}
	eventAge = definition.Definition{
		Name: "event_age_seconds", Kind: definition.Histogram, Labels: ofTarget(), Buckets: ageBuckets,
		Help: "Time from an event's reception to its delivery.",
	}
	eventsPending = definition.Definition{
		Name: "events_pending", Kind: definition.Gauge, Labels: ofTarget(),
		Help: "Events that wait for a target.",
	}
	oldestPending = definition.Definition{
		Name: "oldest_pending_seconds", Kind: definition.Gauge, Labels: ofTarget(),
		Help: "Age of the oldest event that waits for a target.",
	}
	deadLetters = definition.Definition{
		Name: "dead_letters", Kind: definition.Gauge, Labels: ofTarget(),
		Help: "Events that a target never took.",
	}
	deadExpired = definition.Definition{
		Name: "dead_letters_expired_total", Kind: definition.Counter, Labels: ofTarget(),
		Help: "Dead letters that were given up because of their age, by deadLetters.maxAgeSeconds.",
	}
	breakerOpen = definition.Definition{
		Name: "breaker_open", Kind: definition.Gauge, Labels: ofTarget(),
		Help: "1 while a target gets only probes.",
	}
)

// The receiver itself.
var (
	storeDuration = definition.Definition{
		Name: "store_duration_seconds", Kind: definition.Histogram, Labels: []string{"outcome"}, Buckets: storeBuckets,
		Help: "Time of the step that stores an event durably, the wait for the disk included.",
	}
	namespaceStored = definition.Definition{
		Name: "namespace_stored_bytes", Kind: definition.Gauge, Labels: []string{"namespace"},
		Help: "About what the events of a namespace take in the store.",
	}
	dedupWindow = definition.Definition{
		Name: "dedup_window_seconds", Kind: definition.Gauge, Labels: []string{"namespace", "endpoint"},
		Help: "How far back copies of an event are recognised: the endpoint's window, less where marks gave way.",
	}
	dedupMarksDropped = definition.Definition{
		Name: "dedup_marks_dropped_total", Kind: definition.Counter,
		Help: "Deduplication marks that this process gave up because memory, or a namespace's share, was short.",
	}
	storeUsedRatio = definition.Definition{
		Name: "store_used_ratio", Kind: definition.Gauge,
		Help: "Share of the store's capacity in use, of memory or volume, whichever is fuller.",
	}
	storeUp = definition.Definition{
		Name: "store_up", Kind: definition.Gauge,
		Help: "1 while the store answers.",
	}
	storeDurable = definition.Definition{
		Name: "store_durable", Kind: definition.Gauge,
		Help: "1 while the store's settings keep every acknowledged event.",
	}
	storeOrphans = definition.Definition{
		Name: "store_orphaned_endpoints", Kind: definition.Gauge,
		Help: "Endpoints with events but neither route nor tombstone; the events are kept.",
	}
	receiverReady = definition.Definition{
		Name: "ready", Kind: definition.Gauge,
		Help: "1 while the receiver is ready, as /readyz says.",
	}
	routesLoaded = definition.Definition{
		Name: "routes_loaded", Kind: definition.Gauge,
		Help: "Endpoints in the current table.",
	}
	routesRefused = definition.Definition{
		Name: "routes_refused", Kind: definition.Gauge,
		Help: "Routes that do not load; the last good one of each stays in force.",
	}
)

// Definitions are all metrics of the receiver, in the order of an event's life.
func Definitions() []definition.Definition {
	return []definition.Definition{
		requests, rejections, eventsReceived, duplicates, receiveDuration, expressionFailures,
		secretUsed, secretLastUsed, secretKeyPosition,
		deliveries, deliveryDuration, eventAge,
		eventsPending, oldestPending, deadLetters, deadExpired, breakerOpen,
		storeDuration, namespaceStored, dedupWindow, dedupMarksDropped, storeUsedRatio, storeUp, storeDurable, storeOrphans,
		receiverReady, routesLoaded, routesRefused,
	}
}
