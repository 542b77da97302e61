package deliver_test

import (
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
	// isolationRounds are measured for each condition, in turn, so that what
	// else the machine does falls on both.
	isolationRounds = 5
	isolationRound  = 2500 * time.Millisecond
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
		reservation.Cancel()
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
	endpoint *route.Endpoint
	rate     int
	watched  bool
}

// round runs loads beside each other and returns how long the watched events took.
func (s *street) round(ctx context.Context, loads ...load) []time.Duration {
	var sending sync.WaitGroup
	began := time.Now()
	for _, l := range loads {
		sending.Go(func() {
			for n := range l.rate * int(isolationRound) / int(time.Second) {
				at := began.Add(time.Duration(n) * time.Second / time.Duration(l.rate))
				<-time.After(time.Until(at))
				watched := l.watched && at.Sub(began) >= isolationWarmup
				sending.Go(func() { s.send(ctx, l.endpoint, watched) })
			}
		})
	}
	sending.Wait()
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
	look := time.NewTicker(time.Millisecond)
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

// compare measures two conditions in turn. Of the rounds' quantiles the median
// counts: one in which the machine did something else says nothing.
func (s *street) compare(b *testing.B, alone, beside []load) {
	b.Helper()
	for b.Loop() {
		var before, after summary
		for range isolationRounds {
			before.add(s.round(b.Context(), alone...))
			after.add(s.round(b.Context(), beside...))
		}
		before.report(b, "alone")
		after.report(b, "beside")
		b.ReportMetric(float64(quantile(after.p99, 0.5))/float64(quantile(before.p99, 0.5)), "p99-ratio")
	}
}

// summary has one value a round.
type summary struct{ p50, p99 []time.Duration }

func (s *summary) add(took []time.Duration) {
	s.p50, s.p99 = append(s.p50, quantile(took, 0.5)), append(s.p99, quantile(took, 0.99))
}

func (s *summary) report(b *testing.B, name string) {
	b.Helper()
	b.ReportMetric(quantile(s.p50, 0.5).Seconds()*1e3, name+"-p50-ms")
	b.ReportMetric(quantile(s.p99, 0.5).Seconds()*1e3, name+"-p99-ms")
}

func quantile(took []time.Duration, q float64) time.Duration {
	slices.Sort(took)
	return took[int(q*float64(len(took)-1))]
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
		s.compare(b, []load{{watched, 200, true}}, []load{{watched, 200, true}, {dead, 200, false}, {slow, 200, false}})
	})
	b.Run("DeadAndSlowTargetsOfOneEndpoint", func(b *testing.B) {
		alone, mixed := named("alone", "watched"), named("mixed", "watched", "dead", "slow")
		s := newStreet(b, alone, mixed)
		s.compare(b, []load{{alone, 200, true}}, []load{{mixed, 200, true}})
	})
	b.Run("HundredTimesTheLoad", func(b *testing.B) {
		watched, busy := named("watched", "watched"), named("busy", "other")
		s := newStreet(b, watched, busy)
		s.compare(b, []load{{watched, 10, true}}, []load{{watched, 10, true}, {busy, 1000, false}})
	})
}
