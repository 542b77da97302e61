package tracing_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/postern-dev/postern/receiver/deliver"
	"github.com/postern-dev/postern/receiver/event"
	"github.com/postern-dev/postern/receiver/ingest"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/route/routetest"
	"github.com/postern-dev/postern/receiver/tracing"
	"github.com/postern-dev/postern/receiver/tracing/tracingtest"
	"github.com/postern-dev/postern/test/wait"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	eventID = "4bf92f3577b34da6a3ce929d0e0e4736"
	sampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	dropped = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
)

func newTracer(t *testing.T, options tracing.Options) *tracing.Tracer {
	t.Helper()
	tracer, err := tracing.New(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tracer.Shutdown(context.Background()) }) // a collector may be gone
	return tracer
}

func TestNothingIsTracedWithoutACollector(t *testing.T) {
	t.Parallel()
	disabled := map[string]string{"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
	for name, options := range map[string]tracing.Options{
		"nothing is set": {},
		"disabled":       {Lookup: func(name string) (string, bool) { value, ok := disabled[name]; return value, ok }},
	} {
		if tracer := newTracer(t, options); tracer != nil {
			t.Errorf("%s: there is a tracer", name)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	for want, options := range map[string]tracing.Options{
		"is no URL":         {Endpoint: "collector:4318"},
		"is not from 0 to ": {Endpoint: "http://127.0.0.1:1", SamplingRatePerMillion: 1_000_001},
	} {
		if _, err := tracing.New(t.Context(), options); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want an error with %q", options, err, want)
		}
	}
}

func TestJoin(t *testing.T) {
	t.Parallel()
	always := newTracer(t, tracing.Options{Endpoint: "http://127.0.0.1:1", SamplingRatePerMillion: 1_000_000})
	never := newTracer(t, tracing.Options{Endpoint: "http://127.0.0.1:1"})
	for name, c := range map[string]struct {
		tracer         *tracing.Tracer
		sender         string
		prefix, suffix string
	}{
		"the event's id, recorded":           {always, "", "00-" + eventID + "-", "-01"},
		"the event's id, not recorded":       {never, "", "00-" + eventID + "-", "-00"},
		"the sender's trace, as it decided":  {never, sampled, sampled[:36], "-01"},
		"the sender's trace, not recorded":   {always, dropped, dropped[:36], "-00"},
		"a context that is none is no trace": {always, "00-xyz", "00-" + eventID + "-", "-01"},
	} {
		got := c.tracer.Join(c.sender, eventID)
		if !strings.HasPrefix(got, c.prefix) || !strings.HasSuffix(got, c.suffix) || got == c.sender {
			t.Errorf("%s: %q, want %s…%s", name, got, c.prefix, c.suffix)
		}
		if got == c.tracer.Join(c.sender, eventID) {
			t.Errorf("%s: two receptions share a span", name)
		}
	}
}

// A million events make about as many traces as the rate says.
func TestRate(t *testing.T) {
	t.Parallel()
	tracer := newTracer(t, tracing.Options{Endpoint: "http://127.0.0.1:1", SamplingRatePerMillion: 250_000})
	recorded := 0
	for range 4000 {
		if strings.HasSuffix(tracer.Join("", queue.NewID()), "-01") {
			recorded++
		}
	}
	if recorded < 800 || recorded > 1200 {
		t.Errorf("%d of 4000 traces are recorded at a quarter", recorded)
	}
}

// What is refused before it is verified must not decide what is recorded.
func TestUnverifiedSendersDecideNothing(t *testing.T) {
	t.Parallel()
	collector := tracingtest.Start(t)
	never := newTracer(t, tracing.Options{Endpoint: collector.URL})
	always := newTracer(t, tracing.Options{Endpoint: collector.URL, SamplingRatePerMillion: 1_000_000})
	refused := ingest.Result{
		Endpoint: routetest.GitHub("hook"), Outcome: ingest.OutcomeRejected, Reason: "signature_mismatch",
		Status: http.StatusUnauthorized, TraceParent: sampled,
	}
	never.Answered(refused)
	always.Answered(refused)
	flush(t, never, always)
	spans := collector.Spans()
	if len(spans) != 1 {
		t.Fatalf("%d spans, want the one of the tracer that records all", len(spans))
	}
	if spans[0].Parent != "" || strings.Contains(sampled, spans[0].TraceID) {
		t.Errorf("the sender's trace was continued: %+v", spans[0])
	}
	if spans[0].Attributes["postern.reason"] != "signature_mismatch" || spans[0].Failure != "" {
		t.Errorf("a refusal is told of, and is no fault: %+v", spans[0])
	}
}

func flush(t *testing.T, tracers ...*tracing.Tracer) {
	t.Helper()
	for _, tracer := range tracers {
		if err := tracer.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// A collector that hangs must not hold up what it is told of.
func TestHangingCollectorBlocksNothing(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(hanging.Close)
	t.Cleanup(func() { close(release) })
	tracer, err := tracing.New(t.Context(), tracing.Options{Endpoint: hanging.URL, SamplingRatePerMillion: 1_000_000})
	if err != nil {
		t.Fatal(err)
	}
	joined := tracer.Join("", eventID)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 20_000 { // ten times what the exporter keeps
			tracer.Stored(&event.Event{TraceParent: joined}, time.Now(), queue.Receipt{}, errors.New("away"))
		}
	}()
	wait.Next(t, "the end of spans that nothing takes", done)
	soon, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_ = tracer.Shutdown(soon) // it cannot export, and must not wait for that
}

func TestCollectorThatIsAwayIsToldOnce(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	tracer, err := tracing.New(t.Context(), tracing.Options{
		Endpoint: "http://127.0.0.1:1", SamplingRatePerMillion: 1_000_000, Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		tracer.Answered(ingest.Result{Outcome: ingest.OutcomeRejected, Reason: "unknown_endpoint", Status: 404})
	}
	_ = tracer.Shutdown(t.Context()) // refused
	if n := strings.Count(log.String(), "Traces were not exported"); n > 1 {
		t.Errorf("%d complaints:\n%s", n, log.String())
	}
}

// Traces that are off cost nothing.
func TestNilTracerAllocatesNothing(t *testing.T) {
	var tracer *tracing.Tracer
	ev := &event.Event{TraceParent: sampled}
	result, report := ingest.Result{Event: ev}, deliver.Report{Event: ev, Attempt: 1}
	if n := testing.AllocsPerRun(100, func() {
		tracer.Answered(result)
		tracer.Stored(ev, time.Time{}, queue.Receipt{}, nil)
		tracer.Attempted(report)
	}); n != 0 {
		t.Errorf("%v allocations without a tracer", n)
	}
}
