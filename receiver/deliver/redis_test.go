package deliver_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/deliver"
	"github.com/postern-dev/postern/receiver/deliver/outbound"
	"github.com/postern-dev/postern/receiver/event"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/queue/queuetest"
	"github.com/postern-dev/postern/receiver/queue/redistest"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/test/wait"
)

// plant is an engine between a real Redis and a real HTTP target.
type plant struct {
	redis  *redistest.Server
	store  *queue.Redis
	engine *deliver.Engine
	route  *route.Endpoint
}

func newPlant(t testing.TB, handler http.HandlerFunc) *plant {
	t.Helper()
	redis := redistest.Start(t)
	return newPlantOn(t, redis, queue.Options{URL: redis.URL()}, 0, handler)
}

// newPlantOn has the engine reach the server in another way.
func newPlantOn(
	t testing.TB, redis *redistest.Server, options queue.Options, lease time.Duration, handler http.HandlerFunc,
) *plant {
	t.Helper()
	store := queuetest.Connect(t, options)
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	target, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	e := changed(endpoint("ci", "a"), func(e *route.Endpoint) { e.Targets[0].MaxInFlight = 32 })
	engine := deliver.New(deliver.Options{
		Worker: store, Network: outbound.Network{Forward: map[string]*url.URL{"ci/a": target}}, Lease: lease,
	})
	engine.SetRoutes(routes(e))
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	engine.Start(ctx)
	t.Cleanup(func() {
		cancel()
		engine.Wait()
	})
	return &plant{redis: redis, store: store, engine: engine, route: e}
}

func (p *plant) event(number int, body []byte) *event.Event {
	return &event.Event{
		ID: fmt.Sprintf("%032x", number), EndpointUID: p.route.UID, Namespace: "ci", Endpoint: "in", Source: "github",
		ReceivedAt: time.Now(), Verified: true, Method: http.MethodPost, RawQuery: "a=%20b&c",
		Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}, "X-Many": {"1", "two, three"}},
		Body:   body,
	}
}

func (p *plant) admit(ctx context.Context, ev *event.Event, handOver bool) error {
	admission := &queue.Admission{Event: ev, Targets: []string{"a"}, HistoryLimit: 1 << 20}
	if !handOver {
		_, err := p.store.Admit(ctx, admission)
		p.engine.Wake(queues(p.route)...)
		return err
	}
	reservation, ok := p.engine.Reserve(queues(p.route), ev.Size())
	if !ok {
		return p.admit(ctx, ev, false)
	}
	admission.LeaseFor = reservation.LeaseFor
	receipt, err := p.store.Admit(ctx, admission)
	if err != nil {
		reservation.Cancel(receipt.Leases...)
		return err
	}
	reservation.HandOver(ev, receipt.Leases)
	return nil
}

// awaitDrained polls until the store holds nothing pending.
func (p *plant) awaitDrained(t *testing.T) {
	t.Helper()
	wait.For(t, "nothing is pending", func() error {
		depths, err := p.store.Depths(t.Context(), queues(p.route))
		if err == nil && depths[0].Pending != 0 {
			err = fmt.Errorf("the store holds %+v", depths)
		}
		return err
	})
}

func TestDeliveriesThroughRedisAreByteExact(t *testing.T) {
	t.Parallel()
	bodies := [][]byte{
		[]byte("{\"a\": \"\\u00e9\\ud83d\\ude00\"}\n"), []byte("\x00\x01\xfe\xff\r\n"), []byte("\ufeff{ }\n\n"), {},
		bytes.Repeat([]byte{0x80, '"', '\\', '\n'}, 1<<16),
	}
	type request struct {
		query  string
		header http.Header
		body   []byte
	}
	var mu sync.Mutex
	received := map[string]request{}
	p := newPlant(t, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		received[r.Header.Get("Postern-Event-Id")] = request{r.URL.RawQuery, r.Header, body}
	})
	for n := range 2 * len(bodies) {
		if err := p.admit(t.Context(), p.event(n, bodies[n/2]), n%2 == 0); err != nil {
			t.Fatal(err)
		}
	}
	p.awaitDrained(t)
	mu.Lock()
	defer mu.Unlock()
	for n := range 2 * len(bodies) {
		got := received[fmt.Sprintf("%032x", n)]
		if !bytes.Equal(got.body, bodies[n/2]) {
			t.Errorf("handed over %v: body is %.40q, want %.40q", n%2 == 0, got.body, bodies[n/2])
		}
		if got.query != "a=%20b&c" || !slices.Equal(got.header["X-Many"], []string{"1", "two, three"}) {
			t.Errorf("handed over %v: query is %q, headers are %v", n%2 == 0, got.query, got.header)
		}
	}
}

func TestKilledRedisLosesNothing(t *testing.T) {
	t.Parallel()
	const events = 600
	var mu sync.Mutex
	received := map[string]int{}
	third, proceed := make(chan struct{}), make(chan struct{})
	p := newPlant(t, func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		received[r.Header.Get("Postern-Event-Id")]++
		if len(received) == events/3 {
			close(third)
		}
		late := len(received) >= events/3
		mu.Unlock()
		if late {
			<-proceed
		}
	})
	for n := range events {
		if err := p.admit(t.Context(), p.event(n, []byte("{}")), n%2 == 0); err != nil {
			t.Fatal(err)
		}
	}
	<-third
	p.redis.Kill(t)
	close(proceed)
	p.redis.Restart(t)
	p.awaitDrained(t)
	mu.Lock()
	defer mu.Unlock()
	if len(received) != events {
		t.Errorf("%d of %d events were delivered", len(received), events)
	}
	// Beyond the first, only what was under way when the store was killed may come again.
	extra := -events
	for _, n := range received {
		extra += n
	}
	if extra > 64 {
		t.Errorf("%d events came again, want at most those under way", extra)
	}
}

func TestStalledRedisStopsNothingForGood(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	received := map[string]int{}
	p := newPlant(t, func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		received[r.Header.Get("Postern-Event-Id")]++
	})
	for n := range 100 {
		if err := p.admit(t.Context(), p.event(n, []byte("{}")), false); err != nil {
			t.Fatal(err)
		}
	}
	p.redis.Pause(t)
	short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := p.admit(short, p.event(100, []byte("{}")), false); err == nil {
		t.Error("a stalled store admitted an event")
	}
	p.redis.Resume(t)
	p.awaitDrained(t)
	mu.Lock()
	defer mu.Unlock()
	for n := range 100 {
		if received[fmt.Sprintf("%032x", n)] == 0 {
			t.Errorf("event %d was not delivered", n)
		}
	}
}

// TestUnknownVersionsExpire: events that a newer version wrote wait for it as long
// as any event may wait, and are dead letters then.
func TestUnknownVersionsExpire(t *testing.T) {
	t.Parallel()
	p := newPlant(t, func(http.ResponseWriter, *http.Request) { t.Error("it was delivered") })
	prefix := "p:{" + p.route.UID + "}:"
	old := time.Now().Add(-time.Duration(p.route.Retry.MaxAgeSeconds+60) * time.Second)
	// Suspended, so that no claim comes between an event and its change.
	p.engine.SetRoutes([]*route.Endpoint{changed(p.route, func(e *route.Endpoint) { e.Suspend = true })})
	for i, newer := range [][]string{
		{"SETRANGE", prefix + "e:" + fmt.Sprintf("%032x", 0), "0", "\x7f"},
		{"HSET", prefix + "states", fmt.Sprintf("%032x", 1), "9 something else"},
		{"SETRANGE", prefix + "e:" + fmt.Sprintf("%032x", 2), "0", "\x7f"},
	} {
		ev := p.event(i, nil)
		if i < 2 {
			ev.ReceivedAt = old
		}
		if _, err := p.store.Admit(t.Context(), &queue.Admission{Event: ev, Targets: []string{"a"}}); err != nil {
			t.Fatal(err)
		}
		p.redis.Do(t, newer...)
	}
	p.engine.SetRoutes([]*route.Endpoint{p.route})
	p.engine.Wake(queues(p.route)...)
	wait.For(t, "two dead letters beside the young event", func() error {
		depths, err := p.store.Depths(t.Context(), queues(p.route))
		if err == nil && (depths[0].Dead != 2 || depths[0].Pending != 1) {
			err = fmt.Errorf("the queue has %+v", depths[0])
		}
		return err
	})
	if state := p.redis.Do(t, "HGET", prefix+"states", fmt.Sprintf("%032x", 0)); !strings.Contains(state, "unknown_version") {
		t.Errorf("the state is %q, want the reason", state)
	}
}
