package server_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/postern-dev/postern/receiver/deliver"
	"github.com/postern-dev/postern/receiver/deliver/outbound"
	"github.com/postern-dev/postern/receiver/queue/redistest"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/route/routetest"
	"github.com/postern-dev/postern/receiver/server"
	"github.com/postern-dev/postern/receiver/tracing"
	"github.com/postern-dev/postern/receiver/tracing/tracingtest"
	"github.com/postern-dev/postern/test/wait"
)

// traced runs a receiver on a real Redis that traces at the given rate.
func traced(t *testing.T, targetURL string, perMillion int, url string) *world {
	t.Helper()
	tracer, err := tracing.New(t.Context(), tracing.Options{
		Endpoint: url, SamplingRatePerMillion: perMillion, Version: "v0.0.0-test",
	})
	if err != nil {
		t.Fatal(err)
	}
	store := connect(t, redistest.Start(t))
	w := start(t, targetURL, func(o *server.Options) {
		o.Store, o.Tracer = store, tracer
		o.Engine = deliver.New(deliver.Options{Worker: store, Observer: tracer, Network: forward(t, targetURL)})
	})
	w.load(t, routetest.GitHub("hook", func(e *route.Endpoint) { e.Retry.InitialBackoffSeconds = 1 }))
	t.Cleanup(func() {
		if err := tracer.Shutdown(context.Background()); err != nil {
			t.Logf("tracer: %v", err)
		}
	})
	return w
}

func forward(t *testing.T, targetURL string) outbound.Network {
	t.Helper()
	parsed, err := url.Parse(targetURL)
	if err != nil {
		t.Fatal(err)
	}
	return outbound.Network{Forward: map[string]*url.URL{"ci/builder": parsed}}
}

func named(spans []tracingtest.Span, name string) []tracingtest.Span {
	return slices.DeleteFunc(spans, func(s tracingtest.Span) bool { return s.Name != name })
}

// One trace leads from the sender through the store to every attempt, and on
// to the target.
func TestTraceFromSenderToTarget(t *testing.T) {
	t.Parallel()
	const sender = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	collector := tracingtest.Start(t)
	var tries atomic.Int32
	builder := newTarget(t, func(w http.ResponseWriter, _ *http.Request) {
		if tries.Add(1) == 1 {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	w := traced(t, builder.URL, 0, collector.URL)
	request := w.pushRequest(t, "one")
	request.Header.Set("Traceparent", sender)
	request.Header.Set("Tracestate", "vendor=value")
	if got := w.do(t, request); got.status != http.StatusOK {
		t.Fatalf("answered %d %s", got.status, got.body)
	}
	first, second := builder.next(t), builder.next(t)
	wait.Until(t, "all spans are exported", func() bool { return len(collector.Spans()) == 4 })
	spans := collector.Spans()
	receive, store, attempts := named(spans, "receive"), named(collector.Spans(), "store"), named(collector.Spans(), "deliver")
	if len(receive) != 1 || len(store) != 1 || len(attempts) != 2 {
		t.Fatalf("spans: %+v", collector.Spans())
	}
	for _, span := range collector.Spans() {
		if span.TraceID != sender[3:35] {
			t.Errorf("span %s is of trace %s", span.Name, span.TraceID)
		}
		if span.Resource["service.name"] != "postern-receiver" || span.Resource["service.version"] != "v0.0.0-test" {
			t.Errorf("resource: %v", span.Resource)
		}
	}
	if receive[0].Parent != sender[36:52] || receive[0].Kind != "SPAN_KIND_SERVER" {
		t.Errorf("receive is no child of the sender's span: %+v", receive[0])
	}
	for _, child := range append(store, attempts...) {
		if child.Parent != receive[0].SpanID || child.Attributes["postern.event.id"] != receive[0].Attributes["postern.event.id"] {
			t.Errorf("%s is no child of receive: %+v", child.Name, child)
		}
	}
	slices.SortFunc(attempts, func(a, b tracingtest.Span) int {
		return strings.Compare(a.Attributes["postern.attempt"], b.Attributes["postern.attempt"])
	})
	if attempts[0].Failure == "" || attempts[0].Attributes["http.response.status_code"] != "500" ||
		attempts[1].Failure != "" || attempts[1].Attributes["postern.outcome"] != "delivered" {
		t.Errorf("attempts: %+v", attempts)
	}
	for i, got := range []*received{first, second} {
		want := "00-" + sender[3:35] + "-" + attempts[i].SpanID + "-01"
		if got.header.Get("Traceparent") != want || got.header.Get("Tracestate") != "vendor=value" {
			t.Errorf("attempt %d told the target %q, want %q", i+1, got.header.Get("Traceparent"), want)
		}
	}
}

// Without a sender's trace, the event's id is the trace's: whoever has one
// finds the other.
func TestTraceHasTheEventsID(t *testing.T) {
	t.Parallel()
	collector := tracingtest.Start(t)
	builder := newTarget(t, nil)
	w := traced(t, builder.URL, 1_000_000, collector.URL)
	id := decode[struct{ ID string }](t, w.push(t, "one")).ID
	builder.next(t)
	w.push(t, "one") // a duplicate: the same event, the same trace
	wait.Until(t, "all spans are exported", func() bool { return len(collector.Spans()) >= 5 })
	for _, span := range collector.Spans() {
		if span.TraceID != id {
			t.Errorf("%s of event %s is of trace %s", span.Name, id, span.TraceID)
		}
	}
	outcomes := map[string]bool{}
	for _, span := range named(collector.Spans(), "receive") {
		outcomes[span.Attributes["postern.outcome"]] = true
	}
	if !outcomes["accepted"] || !outcomes["duplicate"] {
		t.Errorf("outcomes: %v", outcomes)
	}
}

// A collector that does not answer is nobody's problem but its own.
func TestTracesDoNotHoldUpRequests(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(hanging.Close)
	defer close(release)
	builder := newTarget(t, nil)
	w := traced(t, builder.URL, 1_000_000, hanging.URL)
	for i := range 100 {
		if got := w.push(t, strings.Repeat("x", i+1)); got.status != http.StatusOK {
			t.Fatalf("answered %d %s", got.status, got.body)
		}
		builder.next(t)
	}
}
