package deliver_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/deliver"
	"github.com/postern-dev/postern/receiver/deliver/outbound"
	"github.com/postern-dev/postern/receiver/event"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/route"
)

// benchEvents is how many events a benchmark keeps on their way at a time.
const benchEvents = 64

func benchEvent(number int64, e *route.Endpoint) *event.Event {
	return &event.Event{
		ID: fmt.Sprintf("%032x", number), EndpointUID: e.UID, Namespace: "ci", Endpoint: "in", Source: "github", Type: "push",
		ReceivedAt: time.Now(), Verified: true, Method: http.MethodPost,
		Header: http.Header{"Content-Type": {"application/json"}, "User-Agent": {"bench"}, "X-Github-Event": {"push"}},
		Body:   make([]byte, 1024),
	}
}

// instant answers without a network.
type instant struct{}

func (instant) RoundTrip(r *http.Request) (*http.Response, error) {
	_, _ = io.Copy(io.Discard, r.Body)
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
}

// counter counts deliveries.
type counter struct {
	observer
	delivered atomic.Int64
}

func (c *counter) Attempted(deliver.Report) { c.delivered.Add(1) }

// deliverAll hands b.N events over and waits for their delivery.
func deliverAll(b *testing.B, options deliver.Options) {
	b.Helper()
	store := queue.NewMemory(queue.MemoryOptions{MaxBytes: 1 << 40})
	e := changed(endpoint("ci", "a"), func(e *route.Endpoint) { e.Targets[0].MaxInFlight = 32 })
	seen := &counter{}
	options.Worker, options.Observer = store, seen
	engine := deliver.New(options)
	engine.SetRoutes(routes(e))
	ctx, cancel := context.WithCancel(context.Background())
	engine.Start(ctx)
	defer engine.Wait()
	defer cancel()
	var number int64
	b.ReportAllocs()
	for b.Loop() {
		number++
		for seen.delivered.Load() < number-benchEvents {
			runtime.Gosched()
		}
		ev := benchEvent(number, e)
		admission := &queue.Admission{Event: ev, Targets: []string{"a"}}
		reservation, ok := engine.Reserve(queues(e), ev.Size())
		if ok {
			admission.LeaseFor = reservation.LeaseFor
		}
		receipt, err := store.Admit(ctx, admission)
		if err != nil {
			b.Fatal(err)
		}
		if ok {
			reservation.HandOver(ev, receipt.Leases)
		} else {
			engine.Wake(queues(e)...)
		}
	}
	for seen.delivered.Load() < number {
		runtime.Gosched()
	}
}

func BenchmarkDeliverWithoutNetwork(b *testing.B) {
	deliverAll(b, deliver.Options{Transport: instant{}})
}

func BenchmarkDeliverOverHTTP(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	defer server.Close()
	address, err := url.Parse(server.URL)
	if err != nil {
		b.Fatal(err)
	}
	deliverAll(b, deliver.Options{Network: outbound.Network{Forward: map[string]*url.URL{"ci/a": address}}})
}

func BenchmarkBuildRequest(b *testing.B) {
	e := endpoint("ci", "a")
	destination := outbound.Network{}.Destination(&e.Targets[0])
	ev := benchEvent(1, e)
	b.ReportAllocs()
	for b.Loop() {
		outbound.Build(b.Context(), destination, ev, outbound.Try{Number: 1, At: ev.ReceivedAt})
	}
}
