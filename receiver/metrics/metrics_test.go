package metrics_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/postern-dev/postern/receiver/deliver"
	"github.com/postern-dev/postern/receiver/event"
	"github.com/postern-dev/postern/receiver/metrics"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/route/routetest"
)

// contract are the metrics that may not change their name or labels. There may
// be more.
var contract = map[string][]string{
	"postern_requests_total":            {"endpoint", "namespace", "outcome", "source"},
	"postern_rejections_total":          {"endpoint", "namespace", "reason", "source"},
	"postern_events_received_total":     {"endpoint", "event_type", "namespace", "source"},
	"postern_duplicates_total":          {"body", "endpoint", "namespace", "source"},
	"postern_receive_duration_seconds":  {"endpoint", "namespace", "source"},
	"postern_deliveries_total":          {"endpoint", "namespace", "outcome", "target"},
	"postern_delivery_duration_seconds": {"endpoint", "namespace", "target"},
	"postern_event_age_seconds":         {"endpoint", "namespace", "target"},
	"postern_events_pending":            {"endpoint", "namespace", "target"},
	"postern_oldest_pending_seconds":    {"endpoint", "namespace", "target"},
	"postern_dead_letters":              {"endpoint", "namespace", "target"},
	"postern_dedup_marks_dropped_total": nil,
	"postern_dedup_window_seconds":      {"endpoint", "namespace"},
	"postern_breaker_open":              {"endpoint", "namespace", "target"},
	"postern_secret_used_total":         {"endpoint", "key", "namespace", "source"},
	"postern_store_used_ratio":          nil,
	"postern_routes_loaded":             nil,
}

func newMetrics(t *testing.T, routes ...*route.Endpoint) (*metrics.Metrics, *prometheus.Registry) {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	m := metrics.New(registry)
	m.SetRoutes(routes, 0)
	return m, registry
}

// exercise makes at least one series of every metric.
func exercise(m *metrics.Metrics, endpoint *route.Endpoint) {
	m.Answered(endpoint, "accepted", 3*time.Millisecond)
	m.Rejected(endpoint, "signature_mismatch")
	m.Received(endpoint, "push")
	m.Duplicate(endpoint, "different")
	m.KeyUsed(endpoint, "current")
	m.ExpressionFailed(endpoint, "when")
	ref := deliver.Ref{Namespace: endpoint.Namespace, Endpoint: endpoint.Name, Target: "builder"}
	m.Attempted(deliver.Report{
		Ref: ref, Attempt: 1, Result: deliver.ResultDelivered, Latency: time.Millisecond,
		Event: &event.Event{ReceivedAt: time.Now()},
	})
	m.Measured(ref, queue.Depth{Pending: 3, Dead: 2})
	m.BreakerChanged(ref, true)
	m.DeadExpired(ref, 1)
	m.DedupWindow(endpoint, time.Hour)
	m.MarksDropped(1)
	m.Stored(2*time.Millisecond, nil)
	m.NamespaceStored(endpoint.Namespace, 4096)
	m.StoreUsed(0.25)
	m.StoreUp(true)
	m.StoreOrphans(2)
	m.StoreDurable(true)
	m.Ready(true)
}

func TestNamesAndLabelsAreThoseOfTheContract(t *testing.T) {
	t.Parallel()
	endpoint := routetest.GitHub("github")
	m, registry := newMetrics(t, endpoint)
	exercise(m, endpoint)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for _, family := range families {
		var labels []string
		for _, label := range family.GetMetric()[0].GetLabel() {
			labels = append(labels, label.GetName())
		}
		got[family.GetName()] = labels
	}
	for name, labels := range contract {
		if !slices.Equal(got[name], labels) {
			t.Errorf("%s has the labels %q, want %q", name, got[name], labels)
		}
	}
	for _, one := range metrics.Definitions() {
		labels := slices.Sorted(slices.Values(one.Labels))
		if exported, ok := got[one.FullName()]; !ok || !slices.Equal(exported, labels) {
			t.Errorf("%s is defined with the labels %q and exported with %q", one.FullName(), labels, exported)
		}
		delete(got, one.FullName())
	}
	if len(got) > 0 {
		t.Errorf("exported without a definition: %v", got)
	}
	problems, err := testutil.GatherAndLint(registry)
	if err != nil || len(problems) > 0 {
		t.Errorf("promlint: %v %v", problems, err)
	}
}

func TestValuesAndLabels(t *testing.T) {
	t.Parallel()
	endpoint := routetest.GitHub("github")
	m, registry := newMetrics(t, endpoint)
	exercise(m, endpoint)
	m.Answered(nil, "rejected", time.Millisecond)
	m.Rejected(nil, "unknown_endpoint")
	var compared []string
	for _, one := range metrics.Definitions() {
		if !strings.HasSuffix(one.Name, "_seconds") {
			compared = append(compared, one.FullName())
		}
	}
	want := `
# HELP postern_breaker_open 1 while a target gets only probes.
# TYPE postern_breaker_open gauge
postern_breaker_open{endpoint="github",namespace="ci",target="builder"} 1
# HELP postern_dead_letters Events that a target never took.
# TYPE postern_dead_letters gauge
postern_dead_letters{endpoint="github",namespace="ci",target="builder"} 2
# HELP postern_dead_letters_expired_total Dead letters that were given up because of their age, by deadLetters.maxAgeSeconds.
# TYPE postern_dead_letters_expired_total counter
postern_dead_letters_expired_total{endpoint="github",namespace="ci",target="builder"} 1
# HELP postern_dedup_marks_dropped_total Deduplication marks that this process gave up because memory, or a namespace's share, was short.
# TYPE postern_dedup_marks_dropped_total counter
postern_dedup_marks_dropped_total 1
# HELP postern_deliveries_total Attempts and deaths by outcome.
# TYPE postern_deliveries_total counter
postern_deliveries_total{endpoint="github",namespace="ci",outcome="dead",target="builder"} 0
postern_deliveries_total{endpoint="github",namespace="ci",outcome="delivered",target="builder"} 1
postern_deliveries_total{endpoint="github",namespace="ci",outcome="retry",target="builder"} 0
# HELP postern_duplicates_total Verified requests answered duplicate, by whether the body is that of the first.
# TYPE postern_duplicates_total counter
postern_duplicates_total{body="different",endpoint="github",namespace="ci",source="github"} 1
postern_duplicates_total{body="same",endpoint="github",namespace="ci",source="github"} 0
postern_duplicates_total{body="unknown",endpoint="github",namespace="ci",source="github"} 0
# HELP postern_events_pending Events that wait for a target.
# TYPE postern_events_pending gauge
postern_events_pending{endpoint="github",namespace="ci",target="builder"} 3
# HELP postern_events_received_total Events stored, by event type.
# TYPE postern_events_received_total counter
postern_events_received_total{endpoint="github",event_type="push",namespace="ci",source="github"} 1
# HELP postern_expression_failures_total Events on which an expression failed, by the field that has it.
# TYPE postern_expression_failures_total counter
postern_expression_failures_total{endpoint="github",field="when",namespace="ci",source="github"} 1
# HELP postern_namespace_stored_bytes About what the events of a namespace take in the store.
# TYPE postern_namespace_stored_bytes gauge
postern_namespace_stored_bytes{namespace="ci"} 4096
# HELP postern_ready 1 while the receiver is ready, as /readyz says.
# TYPE postern_ready gauge
postern_ready 1
# HELP postern_rejections_total Requests refused, or let through by Audit enforcement, by reason.
# TYPE postern_rejections_total counter
postern_rejections_total{endpoint="",namespace="",reason="unknown_endpoint",source=""} 1
postern_rejections_total{endpoint="github",namespace="ci",reason="signature_mismatch",source="github"} 1
# HELP postern_requests_total Requests by how they were answered.
# TYPE postern_requests_total counter
postern_requests_total{endpoint="",namespace="",outcome="rejected",source=""} 1
postern_requests_total{endpoint="github",namespace="ci",outcome="accepted",source="github"} 1
postern_requests_total{endpoint="github",namespace="ci",outcome="duplicate",source="github"} 0
postern_requests_total{endpoint="github",namespace="ci",outcome="handshake",source="github"} 0
postern_requests_total{endpoint="github",namespace="ci",outcome="ignored",source="github"} 0
postern_requests_total{endpoint="github",namespace="ci",outcome="rejected",source="github"} 0
# HELP postern_routes_loaded Endpoints in the current table.
# TYPE postern_routes_loaded gauge
postern_routes_loaded 1
# HELP postern_routes_refused Routes that do not load; the last good one of each stays in force.
# TYPE postern_routes_refused gauge
postern_routes_refused 0
# HELP postern_secret_key_position Place of each active key in secretRef.keys: 1 for the current one, more for those being rotated out.
# TYPE postern_secret_key_position gauge
postern_secret_key_position{endpoint="github",key="current",namespace="ci",source="github"} 1
# HELP postern_secret_used_total Requests verified with each key of the endpoint's Secret.
# TYPE postern_secret_used_total counter
postern_secret_used_total{endpoint="github",key="current",namespace="ci",source="github"} 1
# HELP postern_store_durable 1 while the store's settings keep every acknowledged event.
# TYPE postern_store_durable gauge
postern_store_durable 1
# HELP postern_store_orphaned_endpoints Endpoints with events but neither route nor tombstone; the events are kept.
# TYPE postern_store_orphaned_endpoints gauge
postern_store_orphaned_endpoints 2
# HELP postern_store_up 1 while the store answers.
# TYPE postern_store_up gauge
postern_store_up 1
# HELP postern_store_used_ratio Share of the store's capacity in use, of memory or volume, whichever is fuller.
# TYPE postern_store_used_ratio gauge
postern_store_used_ratio 0.25
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), compared...); err != nil {
		t.Error(err)
	}
}

func TestEventTypesAreBounded(t *testing.T) {
	t.Parallel()
	endpoint := routetest.GitHub("github", func(e *route.Endpoint) {
		e.Targets[0].EventTypes = []string{"release", "pull_request.*"}
	})
	m, registry := newMetrics(t, endpoint)
	for i := range 1000 {
		m.Received(endpoint, fmt.Sprintf("type-%d", i))
	}
	m.Received(endpoint, "release") // configured: past the bound, and its own
	m.Received(endpoint, "type-3")  // seen early
	m.Received(endpoint, "evil\ntype")
	m.Received(endpoint, "\xff")
	m.Received(endpoint, strings.Repeat("x", 1000))
	count, err := testutil.GatherAndCount(registry, "postern_events_received_total")
	if err != nil || count != 64+1+1 {
		t.Fatalf("series: %d (%v), want 64 seen, one configured and other", count, err)
	}
	for eventType, want := range map[string]float64{"release": 1, "type-3": 2, "other": 1000 - 64 + 3} {
		if got := received(t, registry, eventType); got != want {
			t.Errorf("%s: %v events, want %v", eventType, got, want)
		}
	}
	// What was seen stays seen across tables.
	m.SetRoutes([]*route.Endpoint{endpoint}, 0)
	m.Received(endpoint, "brand-new")
	if got := received(t, registry, "brand-new"); got != 0 {
		t.Errorf("a new table gave the endpoint another 64 types")
	}
}

func received(t *testing.T, registry *prometheus.Registry, eventType string) float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			for _, label := range metric.GetLabel() {
				if label.GetName() == "event_type" && label.GetValue() == eventType {
					return metric.GetCounter().GetValue()
				}
			}
		}
	}
	return 0
}

func TestSeriesGoWithTheirEndpoint(t *testing.T) {
	t.Parallel()
	stays, goes := routetest.GitHub("stays"), routetest.GitHub("goes")
	m, registry := newMetrics(t, stays, goes)
	exercise(m, stays)
	exercise(m, goes)
	m.SetRoutes([]*route.Endpoint{stays}, 0)
	if n := seriesOf(t, registry, "goes"); n != 0 {
		t.Errorf("%d series of the removed endpoint are left", n)
	}
	m.Answered(goes, "accepted", time.Second) // it was in flight
	m.Sweep()
	if n := seriesOf(t, registry, "goes"); n != 0 {
		t.Errorf("%d series came back and stayed", n)
	}
	if n := seriesOf(t, registry, "stays"); n != 26 {
		t.Errorf("the other endpoint has %d series, want 26", n)
	}
}

// TestCountersBeginAtZero: the first event of an endpoint is an increase.
func TestCountersBeginAtZero(t *testing.T) {
	t.Parallel()
	_, registry := newMetrics(t, routetest.GitHub("hook", func(e *route.Endpoint) {
		e.Targets[0].WhenExpression = "body.a"
	}))
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			if metric.GetCounter() != nil && metric.GetCounter().GetValue() == 0 && len(metric.GetLabel()) > 2 {
				got[family.GetName()]++
			}
		}
	}
	want := map[string]int{
		"postern_requests_total": 5, "postern_duplicates_total": 3, "postern_expression_failures_total": 1,
		"postern_deliveries_total": 3, "postern_dead_letters_expired_total": 1, "postern_secret_used_total": 1,
	}
	if !maps.Equal(got, want) {
		t.Errorf("series at zero are %v, want %v", got, want)
	}
}

func TestRemovedTargetLosesItsSeries(t *testing.T) {
	t.Parallel()
	endpoint := routetest.GitHub("github")
	m, registry := newMetrics(t, endpoint)
	exercise(m, endpoint)
	before := seriesOf(t, registry, "github")
	m.Removed(deliver.Ref{Namespace: "ci", Endpoint: "github", Target: "builder"})
	if after := seriesOf(t, registry, "github"); after != before-10 {
		t.Errorf("%d series before, %d after; want the target's 10 gone", before, after)
	}
}

func TestSourceChangeDropsTheOldSourcesSeries(t *testing.T) {
	t.Parallel()
	endpoint := routetest.GitHub("hook")
	m, registry := newMetrics(t, endpoint)
	m.Answered(endpoint, "accepted", time.Second)
	m.SetRoutes([]*route.Endpoint{routetest.GitHub("hook", routetest.Provider("gitlab"))}, 0)
	if n := seriesWith(t, registry, "source", "github"); n != 0 {
		t.Errorf("%d series of the old source are left", n)
	}
}

func TestKeysThatAreTakenOutLoseTheirSeries(t *testing.T) {
	t.Parallel()
	keys := func(names ...string) *route.Endpoint {
		return routetest.GitHub("hook", func(e *route.Endpoint) {
			e.Keys = nil
			for _, name := range names {
				e.Keys = append(e.Keys, route.Key{Name: name, Value: route.SecretBytes(name)})
			}
		})
	}
	endpoint := keys("current", "previous")
	m, registry := newMetrics(t, endpoint)
	m.KeyUsed(endpoint, "current")
	m.KeyUsed(endpoint, "previous")
	ofKeys := func() [2]int {
		return [2]int{seriesWith(t, registry, "key", "current"), seriesWith(t, registry, "key", "previous")}
	}
	if n := ofKeys(); n != [2]int{3, 3} {
		t.Fatalf("%d series of two keys, want 3 each", n)
	}
	m.SetRoutes([]*route.Endpoint{keys("current")}, 0)
	if n := ofKeys(); n != [2]int{3, 0} {
		t.Errorf("%d series are left of the two keys, want the 3 of the current one", n)
	}
}

func seriesOf(t *testing.T, registry *prometheus.Registry, endpoint string) int {
	t.Helper()
	return seriesWith(t, registry, "endpoint", endpoint)
}

func seriesWith(t *testing.T, registry *prometheus.Registry, name, value string) int {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			for _, label := range metric.GetLabel() {
				if label.GetName() == name && label.GetValue() == value {
					count++
				}
			}
		}
	}
	return count
}
