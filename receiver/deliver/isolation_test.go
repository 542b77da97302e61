package deliver_test

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/deliver"
	"github.com/postern-dev/postern/receiver/deliver/outbound"
	"github.com/postern-dev/postern/receiver/event"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/queue/redistest"
	"github.com/postern-dev/postern/receiver/route"
)

const (
	// isolationPasses have a quantile each, over rounds in which the conditions
	// take turns, so that what else the machine and its disk do falls on all.
	isolationPasses = 5
	isolationTurns  = 4
	isolationRound  = 3 * time.Second
	// isolationWarmup is left out: breakers open and connections are made.
	isolationWarmup = 500 * time.Millisecond
	// isolationPatience is what an event counts that has not come by then.
	isolationPatience = 5 * time.Second
)

// street measures deliveries through a real Redis to real HTTP targets.
type street struct {
	store  *queue.Redis
	engine *deliver.Engine

	mu      sync.Mutex
	number  int
	sent    map[string]time.Time
	arrived []time.Duration
}

func newStreet(b *testing.B, endpoints ...*route.Endpoint) *street {
	b.Helper()
	redis := redistest.Start(b)
	store, err := queue.NewRedis(b.Context(), queue.Options{URL: redis.URL()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(store.Close)
	s := &street{store: store, sent: map[string]time.Time{}}
	forward := map[string]*url.URL{"ci/dead": {Scheme: "http", Host: "127.0.0.1:1"}}
	for service, handler := range map[string]http.HandlerFunc{
		"watched": s.arrive, "other": func(http.ResponseWriter, *http.Request) {}, "slow": sluggish,
	} {
		server := httptest.NewServer(handler)
		b.Cleanup(server.Close)
		if forward["ci/"+service], err = url.Parse(server.URL); err != nil {
			b.Fatal(err)
		}
	}
	s.engine = deliver.New(deliver.Options{Worker: store, Network: outbound.Network{Forward: forward}})
	s.engine.SetRoutes(endpoints)
	ctx, cancel := context.WithCancel(context.WithoutCancel(b.Context()))
	s.engine.Start(ctx)
	b.Cleanup(func() {
		cancel()
		s.engine.Wait()
	})
	return s
}

// sluggish answers after two seconds, or when nobody waits any more.
func sluggish(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	select {
	case <-time.After(2 * time.Second):
	case <-r.Context().Done():
	}
}

func (s *street) arrive(_ http.ResponseWriter, r *http.Request) {
	now := time.Now()
	id := r.Header.Get("Postern-Event-Id")
	s.mu.Lock()
	defer s.mu.Unlock()
	if sent, ok := s.sent[id]; ok {
		s.arrived = append(s.arrived, now.Sub(sent))
		delete(s.sent, id)
	}
}

// send admits one event as ingest does; watched ones are timed.
func (s *street) send(ctx context.Context, e *route.Endpoint, watched bool) {
	s.mu.Lock()
	s.number++
	ev := &event.Event{
		ID: fmt.Sprintf("%032x", s.number), EndpointUID: e.UID, Namespace: e.Namespace, Endpoint: e.Name, Source: "github",
		ReceivedAt: time.Now(), Verified: true, Method: http.MethodPost, Body: make([]byte, 1024),
	}
	if watched {
		s.sent[ev.ID] = ev.ReceivedAt
	}
	s.mu.Unlock()
	reservation, ok := s.engine.Reserve(queues(e), ev.Size())
	admission := &queue.Admission{Event: ev, Targets: names(e), HistoryLimit: 100}
	if ok {
		admission.LeaseFor = reservation.LeaseFor
	}
	receipt, err := s.store.Admit(ctx, admission)
	switch {
	case err != nil && ok:
		reservation.Cancel(receipt.Leases...)
	case err != nil:
	case ok:
		reservation.HandOver(ev, receipt.Leases)
	default:
		s.engine.Wake(queues(e)...)
	}
}

// load is so many events a second for an endpoint, sent whether or not those
// before are through.
type load struct {
	through  *street
	endpoint *route.Endpoint
	rate     int
	watched  bool
}

// run sends one round of the load, and returns when it is all admitted.
func (l load) run(ctx context.Context) {
	var sending sync.WaitGroup
	defer sending.Wait()
	began := time.Now()
	for n := range l.rate * int(isolationRound) / int(time.Second) {
		at := began.Add(time.Duration(n) * time.Second / time.Duration(l.rate))
		<-time.After(time.Until(at))
		watched := l.watched && at.Sub(began) >= isolationWarmup
		sending.Go(func() { l.through.send(ctx, l.endpoint, watched) })
	}
}

// round runs loads beside each other and returns how long the street's watched
// events took.
func (s *street) round(ctx context.Context, loads ...load) []time.Duration {
	var running sync.WaitGroup
	for _, l := range loads {
		running.Go(func() { l.run(ctx) })
	}
	running.Wait()
	s.settle()
	s.mu.Lock()
	defer s.mu.Unlock()
	took := s.arrived
	s.arrived = nil
	for range s.sent {
		took = append(took, isolationPatience)
	}
	clear(s.sent)
	return took
}

// settle waits until the watched events have come, but not for ever.
func (s *street) settle() {
	look := time.NewTicker(time.Millisecond) //nolint:forbidigo // a benchmark goes on without them
	defer look.Stop()
	deadline := time.After(isolationPatience)
	for {
		select {
		case <-deadline:
			return
		case <-look.C:
		}
		s.mu.Lock()
		open := len(s.sent)
		s.mu.Unlock()
		if open == 0 {
			return
		}
	}
}

// condition is what goes on while events are watched.
type condition struct {
	name  string
	loads []load

	// all are the times of all passes, pass those of one, p99 has one of each.
	all, pass, p99 []time.Duration
}

// compare measures conditions in turn, the last against each of the others. Of
// the passes' ratios the median counts: one in which the machine did something
// else says nothing.
func (s *street) compare(b *testing.B, conditions ...*condition) {
	b.Helper()
	for b.Loop() {
		for range isolationPasses {
			for range isolationTurns {
				for _, c := range conditions {
					c.pass = append(c.pass, s.round(b.Context(), c.loads...)...)
				}
			}
			for _, c := range conditions {
				c.end()
			}
		}
	}
	last := conditions[len(conditions)-1]
	for _, c := range conditions {
		b.ReportMetric(float64(len(c.all)), c.name+"-events")
		b.ReportMetric(quantile(c.all, 0.5).Seconds()*1e3, c.name+"-p50-ms")
		b.ReportMetric(quantile(c.all, 0.99).Seconds()*1e3, c.name+"-p99-ms")
		if c != last {
			b.ReportMetric(last.against(c), "p99-to-"+c.name)
		}
	}
}

// end ends a pass.
func (c *condition) end() {
	c.p99 = append(c.p99, quantile(c.pass, 0.99))
	c.all = append(c.all, c.pass...)
	c.pass = nil
}

// against is the median of the passes' ratios of the p99 of two conditions.
func (c *condition) against(other *condition) float64 {
	ratios := make([]float64, len(c.p99))
	for i := range ratios {
		ratios[i] = float64(c.p99[i]) / float64(other.p99[i])
	}
	return quantile(ratios, 0.5)
}

func quantile[T cmp.Ordered](values []T, q float64) T {
	slices.Sort(values)
	return values[int(q*float64(len(values)-1))]
}

// named is an endpoint of its own with targets at the given Services.
func named(name string, services ...string) *route.Endpoint {
	return changed(endpoint("ci", services...), func(e *route.Endpoint) {
		e.UID, e.Name = "uid-"+name, name
		for i := range e.Targets {
			e.Targets[i].MaxInFlight = 32
		}
	})
}

// BenchmarkIsolation compares the time from the receipt of an event to its
// arrival at a healthy target. Goal: a ratio of at most 1.5.
func BenchmarkIsolation(b *testing.B) {
	b.Run("DeadAndSlowEndpoints", func(b *testing.B) {
		watched, dead, slow := named("watched", "watched"), named("dead", "dead"), named("slow", "slow")
		s := newStreet(b, watched, dead, slow)
		quiet := load{s, watched, 200, true}
		s.compare(b,
			&condition{name: "alone", loads: []load{quiet}},
			&condition{name: "beside", loads: []load{quiet, {s, dead, 200, false}, {s, slow, 200, false}}})
	})
	b.Run("DeadAndSlowTargetsOfOneEndpoint", func(b *testing.B) {
		alone, mixed := named("alone", "watched"), named("mixed", "watched", "dead", "slow")
		s := newStreet(b, alone, mixed)
		s.compare(b,
			&condition{name: "alone", loads: []load{{s, alone, 200, true}}},
			&condition{name: "beside", loads: []load{{s, mixed, 200, true}}})
	})
	b.Run("HundredTimesTheLoad", hundredTimesTheLoad)
}

// hundredTimesTheLoad has a third condition: the busy endpoint in a Postern of
// its own, with its own store, on the same machine. What the busy one costs then
// is the machine's; the rest is what sharing a Postern costs.
func hundredTimesTheLoad(b *testing.B) {
	watched, busy := named("watched", "watched"), named("busy", "other")
	s, other := newStreet(b, watched, busy), newStreet(b, busy)
	quiet := load{s, watched, 30, true}
	s.compare(b,
		&condition{name: "alone", loads: []load{quiet}},
		&condition{name: "apart", loads: []load{quiet, {other, busy, 3000, false}}},
		&condition{name: "beside", loads: []load{quiet, {s, busy, 3000, false}}})
}
