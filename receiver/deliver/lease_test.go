package deliver_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postern-dev/postern/receiver/deliver"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/route"
)

// patient is an endpoint whose first target may take five minutes.
func patient(names ...string) *route.Endpoint {
	return changed(endpoint("ci", names...), func(e *route.Endpoint) { e.Targets[0].TimeoutSeconds = 300 })
}

// slowly makes every target take its time.
func (w *world) slowly(takes time.Duration) {
	w.targets.script(func(r *http.Request, _ string) (int, http.Header, error) {
		return http.StatusOK, nil, hang(r, takes)
	})
}

// replica starts another engine on the same store; a nil worker is the store itself.
func (w *world) replica(worker queue.Worker, endpoints ...*route.Endpoint) *deliver.Engine {
	w.t.Helper()
	if worker == nil {
		worker = w.store
	}
	other := deliver.New(deliver.Options{Worker: worker, Transport: w.targets})
	other.SetRoutes(endpoints)
	ctx, cancel := context.WithCancel(w.t.Context())
	other.Start(ctx)
	w.t.Cleanup(func() {
		cancel()
		other.Wait()
	})
	return other
}

func TestSlowTargetDoesNotLengthenTheLease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := patient("slow", "quick")
		w := newWorld(t, nil, e)
		reservation, ok := w.engine.Reserve(queues(e), 1)
		if !ok || reservation.LeaseFor != 15*time.Second {
			t.Errorf("reserved %v with a lease of %v, want 15s", ok, reservation.LeaseFor)
		}
		reservation.Cancel()
	})
}

func TestLongAttemptKeepsItsLease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := patient("a")
		w := newWorld(t, nil, e)
		w.replica(nil, e)
		w.slowly(290 * time.Second)
		ev, _ := w.admit(e)
		pass(5 * time.Minute)
		w.expectStatus(queue.StatusDelivered, ev)
		if got := len(w.targets.at()); got != 1 {
			t.Errorf("%d requests, want the one that took its time", got)
		}
		if got := w.worker.called("Renew"); got > 60 {
			t.Errorf("the lease was renewed %d times in 290s, want one in five seconds at most", got)
		}
	})
}

func TestQuickAttemptsRenewNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := endpoint("ci", "a")
		w := newWorld(t, nil, e)
		w.slowly(time.Second)
		for range 100 {
			w.admit(e)
			pass(300 * time.Millisecond)
		}
		pass(time.Minute)
		if got := w.worker.called("Renew"); got != 0 {
			t.Errorf("%d renewals for events that are done within seconds", got)
		}
	})
}

// TestAnotherReplicaTakesOverFromADeadProcess: nobody tells it, and the store
// is the only thing that both know.
func TestAnotherReplicaTakesOverFromADeadProcess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := patient("a")
		w := newWorld(t, nil, e)
		w.replica(nil, e)
		w.slowly(200 * time.Second)
		pass(time.Minute)
		for range 10 {
			w.admit(e)
		}
		pass(30 * time.Second)
		w.worker.fail(queue.ErrUnavailable) // the process dies: nothing more reaches the store
		w.stop()
		w.engine.Wait()
		w.targets.reply(http.StatusOK)
		pass(25 * time.Second)
		depths, err := w.store.Depths(t.Context(), queues(e))
		if err != nil || depths[0].Pending != 0 {
			t.Errorf("25s after the death of their process %d events wait (%v), want none", depths[0].Pending, err)
		}
	})
}

func TestOutageBeyondTheLeaseBringsNothingTwice(t *testing.T) {
	t.Parallel()
	for name, cut := range map[string]struct{ from, until, takes time.Duration }{
		"ends during the attempt": {time.Second, 40 * time.Second, 100 * time.Second},
		"ends after the attempt":  {time.Second, 200 * time.Second, 100 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := patient("a")
				w := newWorld(t, nil, e)
				w.slowly(cut.takes)
				for range 4 {
					w.admit(e)
				}
				pass(cut.from)
				w.worker.fail(queue.ErrUnavailable)
				pass(cut.until - cut.from)
				w.engine.Wake(queues(e)...)
				w.worker.fail(nil)
				pass(5 * time.Minute)
				depths, _ := w.store.Depths(t.Context(), queues(e))
				if got := len(w.targets.at()); got != 4 || depths[0].Pending != 0 {
					t.Errorf("%d requests for 4 events, %d still pending", got, depths[0].Pending)
				}
			})
		})
	}
}

// TestEventsThatAreDueTooLateAreHastened: the clock of the store was ahead while
// an event was retried.
func TestEventsThatAreDueTooLateAreHastened(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := patient("a")
		w := newWorld(t, nil, e)
		w.engine.SetRoutes(routes(changed(e, func(e *route.Endpoint) { e.Suspend = true })))
		late, _ := w.admit(e)
		claimed, err := w.store.Claim(t.Context(), queues(e)[0], 1, time.Minute)
		if err != nil || len(claimed) != 1 {
			t.Fatalf("claimed %d events (%v), want 1", len(claimed), err)
		}
		wait := queue.Settlement{Outcome: queue.Retry, After: 24 * time.Hour}
		if err := w.store.Settle(t.Context(), claimed[0].Lease, wait); err != nil {
			t.Fatal(err)
		}
		w.engine.SetRoutes(routes(e))
		pass(time.Minute)
		if got := w.targets.at(); len(got) != 1 {
			t.Errorf("%d requests within a minute, want the one of event %s", len(got), late.ID)
		}
	})
}

// TestLostLeaseIsNotBegun: while this process was cut off, another one took
// over what waited here in memory.
func TestLostLeaseIsNotBegun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := patient("a")
		w := newWorld(t, nil, e)
		w.slowly(30 * time.Second)
		for range 4 {
			w.admit(e)
		}
		waits, _ := w.admit(e)
		pass(time.Second)
		w.worker.fail(queue.ErrUnavailable)
		pass(20 * time.Second)
		taken, err := w.store.Claim(t.Context(), queues(e)[0], 10, 11*time.Minute)
		if err != nil || len(taken) != 5 {
			t.Fatalf("another process claimed %d (%v), want all five", len(taken), err)
		}
		w.worker.fail(nil)
		pass(10 * time.Minute)
		if slices.ContainsFunc(w.targets.at(), func(a arrival) bool { return a.id == waits.ID }) {
			t.Error("an event was delivered without a lease")
		}
	})
}

// brokenQueue fails every call for one queue in the store's own words.
type brokenQueue struct {
	queue.Worker
	id queue.ID
}

func (b brokenQueue) Renew(ctx context.Context, leases []queue.Lease, d time.Duration) ([]queue.Lease, error) {
	sound := slices.DeleteFunc(slices.Clone(leases), func(l queue.Lease) bool { return l.Queue == b.id })
	lost, err := b.Worker.Renew(ctx, sound, d)
	if len(sound) < len(leases) && err == nil {
		err = &queue.PartialError{Failed: map[queue.ID]error{
			b.id: errors.New("WRONGTYPE Operation against a key holding the wrong kind of value"),
		}}
	}
	return lost, err
}

func TestBrokenQueueDoesNotKeepOthersFromRenewing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e, broken := patient("a"), changed(patient("a"), func(e *route.Endpoint) { e.UID, e.Name = "broken", "broken" })
		w := newWorld(t, func(o *deliver.Options) {
			o.Worker = brokenQueue{o.Worker, queues(broken)[0]}
		}, e, broken)
		w.replica(nil, e)
		w.slowly(100 * time.Second)
		w.admit(broken)
		ev, _ := w.admit(e)
		pass(2 * time.Minute)
		count := 0
		for _, a := range w.targets.at() {
			if a.id == ev.ID {
				count++
			}
		}
		if count != 1 {
			t.Errorf("%d requests for an event of the sound queue, want 1", count)
		}
	})
}
