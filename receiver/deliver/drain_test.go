package deliver_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postern-dev/postern/receiver/deliver"
	"github.com/postern-dev/postern/receiver/event"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/route"
)

// due is how many events another process could claim at once.
func (w *world) due(id queue.ID) int {
	w.t.Helper()
	deliveries, err := w.store.Claim(w.t.Context(), id, 1000, time.Minute)
	if err != nil {
		w.t.Fatal(err)
	}
	return len(deliveries)
}

func slowWorld(t *testing.T, change func(*deliver.Options)) (*world, []*event.Event) {
	t.Helper()
	e := endpoint("ci", "a")
	w := newWorld(t, change, e)
	w.targets.script(func(r *http.Request, _ string) (int, http.Header, error) {
		return http.StatusOK, nil, hang(r, time.Second)
	})
	var events []*event.Event
	for range 20 {
		ev, _ := w.admit(e)
		events = append(events, ev)
	}
	return w, events
}

func TestDrainFinishesWhatIsInMemory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, events := slowWorld(t, nil)
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		w.engine.Drain(ctx)
		w.expectStatus(queue.StatusDelivered, events...)
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("drain took %v, want the 5s that 20 events need", took)
		}
		if _, ok := w.engine.Reserve(queues(endpoint("ci", "a")), 1); ok {
			t.Error("an event was taken after the drain")
		}
		w.engine.Drain(ctx)
	})
}

func TestDrainGivesLeasesBackAtItsDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, events := slowWorld(t, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		began := time.Now()
		w.engine.Drain(ctx)
		if took := time.Since(began); took != 2500*time.Millisecond {
			t.Errorf("drain took %v, want its deadline", took)
		}
		w.expectStatus(queue.StatusDelivered, events[:8]...)
		if got := w.due(queues(endpoint("ci", "a"))[0]); got != 12 {
			t.Errorf("%d events are due for the next process, want the other 12 at once", got)
		}
		for _, ev := range events[8:] {
			// Also of those that were under way: a process that is killed spends none either.
			if got := w.state(ev).Attempts; got != 0 {
				t.Errorf("an event that was not delivered has %d attempts, want 0", got)
			}
		}
	})
}

func TestDrainLeavesTheStoreAloneUnlessAsked(t *testing.T) {
	t.Parallel()
	for name, drainStore := range map[string]bool{"memory": false, "store": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := endpoint("ci", "a")
				w := newWorld(t, func(o *deliver.Options) { o.DrainStore = drainStore }, e)
				w.targets.script(func(r *http.Request, _ string) (int, http.Header, error) {
					return http.StatusOK, nil, hang(r, time.Second)
				})
				for range 100 {
					w.admitUnleased(e)
				}
				pass(100 * time.Millisecond)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				w.engine.Drain(ctx)
				if got := len(w.targets.at()); (got == 100) != drainStore {
					t.Errorf("%d of 100 events were delivered", got)
				}
			})
		})
	}
}

// TestDrainGoesOnUntilItsDeadline: a store that ends with the process is drained
// as long as there is time, and what waits in its back-off is tried meanwhile.
func TestDrainGoesOnUntilItsDeadline(t *testing.T) {
	t.Parallel()
	for name, back := range map[string]time.Duration{"back": 20 * time.Second, "dead": time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := changed(endpoint("ci", "a"), func(e *route.Endpoint) {
					e.Retry.InitialBackoffSeconds, e.Retry.MaxBackoffSeconds, e.Retry.MaxAttempts = 3600, 3600, 100
				})
				w := newWorld(t, func(o *deliver.Options) { o.DrainStore = true }, e)
				w.targets.reply(http.StatusBadGateway)
				for range 20 {
					w.admit(e)
				}
				pass(40 * time.Second)
				began := time.Now()
				w.targets.script(func(*http.Request, string) (int, http.Header, error) {
					if time.Since(began) < back {
						return http.StatusBadGateway, nil, nil
					}
					return http.StatusOK, nil, nil
				})
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				w.engine.Drain(ctx)
				took := time.Since(began)
				if back < time.Minute && (took < back || took > back+30*time.Second) {
					t.Errorf("drain took %v, want until the target is back after %v", took, back)
				}
				if back > time.Minute && (took < time.Minute || took > time.Minute+releaseAfter) {
					t.Errorf("drain took %v, want its minute", took)
				}
				depths, err := w.store.Depths(t.Context(), queues(e))
				if err != nil || (depths[0].Pending == 0) != (back < time.Minute) {
					t.Errorf("%+v is left, %v", depths, err)
				}
			})
		})
	}
}

// releaseAfter is what giving leases back may take after a deadline.
const releaseAfter = 3 * time.Second

// TestDrainLeavesSuspendedEventsAlone: nothing can be done for them.
func TestDrainLeavesSuspendedEventsAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := changed(endpoint("ci", "a"), func(e *route.Endpoint) { e.Suspend = true })
		w := newWorld(t, func(o *deliver.Options) { o.DrainStore = true }, e)
		w.admitUnleased(e)
		began := time.Now()
		w.engine.Drain(t.Context())
		if took := time.Since(began); took > time.Second {
			t.Errorf("drain took %v although nothing may be delivered", took)
		}
	})
}

func TestDrainEndsInTimeWithoutTheStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, _ := slowWorld(t, nil)
		synctest.Wait()
		w.worker.fail(queue.ErrUnavailable)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		began := time.Now()
		w.engine.Drain(ctx)
		if took := time.Since(began); took > 8*time.Second {
			t.Errorf("drain took %v, want at most 3s beyond its deadline", took)
		}
	})
}

func TestLifecycleIsSafeInAnyOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := endpoint("ci", "a")
		engine := deliver.New(deliver.Options{Worker: queue.NewMemory(queue.MemoryOptions{}), Transport: &targets{}})
		engine.Drain(t.Context())
		engine.SetRoutes(routes(e))
		engine.Wake(queues(e)...)
		if _, ok := engine.Reserve(queues(e), 1); ok {
			t.Error("an engine that was not started takes events")
		}
		ctx, cancel := context.WithCancel(t.Context())
		engine.Start(ctx)
		engine.Start(ctx)
		reservation, ok := engine.Reserve(queues(e), 1)
		if !ok {
			t.Fatal("a running engine takes no events")
		}
		cancel()
		engine.Wait()
		reservation.HandOver(&event.Event{}, []queue.Lease{{Queue: queues(e)[0]}})
		engine.Wake(queues(e)...)
		engine.SetRoutes(nil)
		engine.Drain(t.Context())
		engine.Wait()
	})
}
