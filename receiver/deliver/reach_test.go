package deliver_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postern-dev/postern/receiver/deliver"
	"github.com/postern-dev/postern/receiver/event"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/route"
)

func TestUnreachableTargetCostsConnectionsOnly(t *testing.T) {
	t.Parallel()
	for name, gone := range map[string]func(context.Context) (net.Conn, error){"refuses": refuse, "swallows": swallow} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				network := newWire(t, func(http.ResponseWriter, *http.Request) {})
				network.set(gone)
				e := changed(endpoint("ci", "a"), func(e *route.Endpoint) { e.Retry.MaxAttempts = 8 })
				w := newWorld(t, network.transport, e)
				var events []*event.Event
				for range 200 {
					ev, _ := w.admit(e)
					events = append(events, ev)
				}
				pass(time.Minute)
				dials, claims := network.dialled(), w.worker.called("Claim")
				pass(30 * time.Minute)
				if got := network.dialled() - dials; got > 1800*2 || got < 1800/2 {
					t.Errorf("%d connections were tried in half an hour, want about one a second", got)
				}
				if got := w.worker.called("Claim") - claims; got != 0 {
					t.Errorf("the store was asked for events %d times although none could be sent", got)
				}
				spent := 0
				for _, ev := range events {
					spent += w.state(ev).Attempts
				}
				if spent > 8 {
					t.Errorf("%d attempts were spent, want those until the breaker opened", spent)
				}
				network.set(nil)
				pass(2 * time.Second)
				w.expectStatus(queue.StatusDelivered, events...)
			})
		})
	}
}

// TestReachableAgainButFailing: the breaker goes on with events as probes.
func TestReachableAgainButFailing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var healthy atomic.Bool
		network := newWire(t, func(w http.ResponseWriter, _ *http.Request) {
			if !healthy.Load() {
				w.WriteHeader(http.StatusInternalServerError)
			}
		})
		network.set(refuse)
		e := endpoint("ci", "a")
		w := newWorld(t, network.transport, e)
		for range 500 {
			w.admit(e)
		}
		pass(10 * time.Minute)
		before := len(w.seen.all())
		network.set(nil)
		pass(time.Minute)
		if got := len(w.seen.all()) - before; got < 30 || got > 60 {
			t.Errorf("%d attempts in the first minute of failing, want about 40", got)
		}
		healthy.Store(true)
		pass(5 * time.Second)
		if depths, err := w.store.Depths(t.Context(), queues(e)); err != nil || depths[0].Pending > 50 {
			t.Errorf("5s after the recovery %d of 500 events wait (%v)", depths[0].Pending, err)
		}
	})
}

func TestNobodyConnectsWhileNothingWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := newWire(t, func(http.ResponseWriter, *http.Request) {})
		network.set(refuse)
		e := changed(endpoint("ci", "a"), func(e *route.Endpoint) { e.Retry.MaxAttempts = 2 })
		w := newWorld(t, network.transport, e)
		for range 20 {
			w.admit(e)
		}
		pass(time.Minute)
		if err := w.store.Purge(t.Context(), e.UID); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		dials := network.dialled()
		pass(time.Hour)
		if got := network.dialled() - dials; got != 0 {
			t.Errorf("%d connections were tried for nothing", got)
		}
	})
}

// TestManyUnreachableTargetsArePaced: all of them together cost a bounded
// number of connections, and all are back soon.
func TestManyUnreachableTargetsArePaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const count = 450
		network := newWire(t, func(http.ResponseWriter, *http.Request) {})
		network.set(refuse)
		var endpoints []*route.Endpoint
		for n := range count {
			endpoints = append(endpoints, endpoint(fmt.Sprintf("team%04d", n), "a"))
		}
		w := newWorld(t, network.transport, endpoints...)
		for _, e := range endpoints {
			for range 10 {
				w.admit(e)
			}
		}
		pass(30 * time.Second)
		dials := network.dialled()
		pass(30 * time.Second)
		if got := network.dialled() - dials; got > 30*300 {
			t.Errorf("%d connections were tried in half a minute, want at most 200 to 300 a second", got)
		}
		network.set(nil)
		pass(4 * time.Second)
		for _, e := range endpoints {
			if depths, _ := w.store.Depths(t.Context(), queues(e)); depths[0].Pending != 0 {
				t.Fatalf("4s after the recovery %s waits for %d events", e.Namespace, depths[0].Pending)
			}
		}
	})
}

// depth returns what was measured last, or false.
func (o *observer) depth(ref deliver.Ref) (depth queue.Depth, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	depth, ok = o.depths[ref]
	return depth, ok
}

// all returns what was reported so far.
func (o *observer) all() []deliver.Report {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.reports[:len(o.reports):len(o.reports)]
}
