package deliver_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postern-dev/postern/receiver/deliver"
	"github.com/postern-dev/postern/receiver/event"
	"github.com/postern-dev/postern/receiver/queue"
)

func TestEveryLoopSurvivesAStoreOutage(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"unavailable": queue.ErrUnavailable, "unknown": errors.New("LOADING Redis is loading the dataset in memory"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := endpoint("ci", "a")
				w := newWorld(t, nil, e)
				synctest.Wait()
				w.worker.fail(err)
				var events []*event.Event
				for range 20 {
					events = append(events, w.admitUnleased(e))
				}
				pass(time.Hour)
				if calls := w.worker.called("Claim") + w.worker.called("Depths"); calls > 3*3600 {
					t.Errorf("%d calls in an hour of outage, want about two a second", calls)
				}
				w.worker.fail(nil)
				pass(1100 * time.Millisecond)
				w.expectStatus(queue.StatusDelivered, events...)
			})
		})
	}
}

func TestOutcomesOutliveAStoreOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := endpoint("ci", "a")
		w := newWorld(t, nil, e)
		w.targets.script(func(r *http.Request, _ string) (int, http.Header, error) {
			return http.StatusOK, nil, hang(r, time.Second)
		})
		var events []*event.Event
		for range 4 {
			ev, _ := w.admit(e)
			events = append(events, ev)
		}
		synctest.Wait()
		w.worker.fail(queue.ErrUnavailable)
		pass(10 * time.Minute) // far beyond the leases
		w.worker.fail(nil)
		pass(time.Minute)
		w.expectStatus(queue.StatusDelivered, events...)
		if got := len(w.targets.at()); got != 4 {
			t.Errorf("%d requests, want 4: what was delivered must not be claimed again", got)
		}
	})
}

func TestSettlementThatTheStoreRefusesIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := endpoint("ci", "a")
		w := newWorld(t, nil, e)
		w.targets.script(func(*http.Request, string) (int, http.Header, error) {
			w.worker.fail(errors.New("ERR of the script"))
			return http.StatusOK, nil, nil
		})
		ev, _ := w.admit(e)
		pass(30 * time.Second)
		w.targets.reply(http.StatusOK)
		w.worker.fail(nil)
		pass(time.Minute)
		w.expectStatus(queue.StatusDelivered, ev)
		if got := len(w.targets.at()); got != 2 {
			t.Errorf("%d requests, want the event again after its lease", got)
		}
	})
}

func TestLeaseOfADeadProcessRunsOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := endpoint("ci", "a")
		w := newWorld(t, nil, e)
		w.targets.script(func(r *http.Request, _ string) (int, http.Header, error) {
			return http.StatusOK, nil, hang(r, 10*time.Second)
		})
		ev, _ := w.admit(e)
		pass(time.Second)
		w.worker.fail(queue.ErrUnavailable) // the process dies: nothing more reaches the store
		w.stop()
		w.engine.Wait()
		w.worker.fail(nil)
		w.targets.reply(http.StatusOK)
		w.start(nil, e)
		pass(13 * time.Second)
		if got := len(w.targets.at()); got != 1 {
			t.Fatalf("%d requests while the lease holds, want 1", got)
		}
		pass(2 * time.Second)
		w.expectStatus(queue.StatusDelivered, ev)
	})
}

func TestLateOutcomeDoesNotOverwriteAnotherWorkers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := endpoint("ci", "a")
		w := newWorld(t, nil, e)
		w.targets.script(func(r *http.Request, _ string) (int, http.Header, error) {
			return http.StatusGone, nil, hang(r, 10*time.Second)
		})
		ev, _ := w.admit(e)
		pass(5 * time.Second)
		w.worker.fail(queue.ErrUnavailable)
		pass(30 * time.Second)
		// Another replica takes over what this one cannot settle.
		other, err := w.store.Claim(t.Context(), queues(e)[0], 1, time.Minute)
		if err != nil || len(other) != 1 {
			t.Fatalf("claimed %d (%v), want the event", len(other), err)
		}
		w.worker.fail(nil)
		pass(10 * time.Second)
		w.expectStatus(queue.StatusPending, ev)
		if err := w.store.Settle(t.Context(), other[0].Lease, queue.Settlement{Outcome: queue.Done}); err != nil {
			t.Errorf("the other worker's lease was taken: %v", err)
		}
	})
}

func TestLongWaitsInMemoryRenewTheLease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := endpoint("ci", "a")
		w := newWorld(t, nil, e)
		w.targets.script(func(r *http.Request, _ string) (int, http.Header, error) {
			return http.StatusOK, nil, hang(r, 10*time.Second)
		})
		for range 40 {
			if _, handed := w.admit(e); !handed {
				t.Fatal("event was not handed over")
			}
		}
		pass(5 * time.Minute)
		seen := map[string]int{}
		for _, a := range w.targets.at() {
			seen[a.id]++
		}
		if len(seen) != 40 || len(w.targets.at()) != 40 {
			t.Errorf("%d requests for %d of 40 events, want each once", len(w.targets.at()), len(seen))
		}
		if w.worker.called("Renew") == 0 {
			t.Error("no lease was renewed in 100s of waiting")
		}
	})
}

func TestTwoReplicasShareAStoreWithoutDuplicates(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := endpoint("ci", "a")
		w := newWorld(t, nil, e)
		other := deliver.New(deliver.Options{Worker: w.worker, Transport: w.targets})
		other.SetRoutes(routes(e))
		ctx, cancel := context.WithCancel(t.Context())
		other.Start(ctx)
		defer other.Wait()
		defer cancel()
		w.targets.script(func(r *http.Request, _ string) (int, http.Header, error) {
			return http.StatusOK, nil, hang(r, 100*time.Millisecond)
		})
		var events []*event.Event
		for n := range 400 {
			ev := w.admitUnleased(e)
			events = append(events, ev)
			if n%2 == 0 {
				other.Wake(queues(e)...)
			}
		}
		pass(10 * time.Minute)
		w.expectStatus(queue.StatusDelivered, events...)
		if got := len(w.targets.at()); got != 400 {
			t.Errorf("%d requests for 400 events", got)
		}
	})
}
