package deliver_test

import (
	"fmt"
	"net/http"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postern-dev/postern/receiver/deliver"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/route"
)

func TestMaxInFlightHolds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := endpoint("ci", "a")
		w := newWorld(t, nil, e)
		w.targets.script(func(r *http.Request, _ string) (int, http.Header, error) {
			return http.StatusOK, nil, hang(r, time.Second)
		})
		for range 200 {
			w.admit(e)
		}
		pass(52 * time.Second)
		if got := w.targets.most["a.ci"]; got != 4 {
			t.Errorf("%d requests at a time, want maxInFlight of 4", got)
		}
		if got := len(w.targets.at()); got != 200 {
			t.Errorf("%d attempts in 52s, want all 200: the target must be kept busy", got)
		}
	})
}

func TestEndpointWithAHundredTimesTheLoadStarvesNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		busy, quiet := endpoint("busy", "a"), endpoint("quiet", "a")
		w := newWorld(t, func(o *deliver.Options) { o.MaxInFlight = 8 }, busy, quiet)
		w.targets.script(func(r *http.Request, _ string) (int, http.Header, error) {
			return http.StatusOK, nil, hang(r, 10*time.Millisecond)
		})
		for range 50 {
			for range 100 {
				w.admit(busy)
			}
			ev, _ := w.admit(quiet)
			pass(20 * time.Millisecond)
			w.expectStatus(queue.StatusDelivered, ev)
		}
	})
}

func TestTargetsThatHangLeaveSlotsForOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		endpoints := []*route.Endpoint{endpoint("healthy", "a")}
		for n := range 40 {
			endpoints = append(endpoints, endpoint(fmt.Sprintf("hanging%02d", n), "a", "b", "c", "d"))
		}
		w := newWorld(t, func(o *deliver.Options) { o.MaxInFlight = 64 }, endpoints...)
		w.targets.script(func(r *http.Request, service string) (int, http.Header, error) {
			if service == "a.healthy" {
				return http.StatusOK, nil, nil
			}
			return http.StatusOK, nil, hang(r, time.Hour)
		})
		w.admit(endpoints[0])
		synctest.Wait()
		for range 20 {
			for _, e := range endpoints[1:] {
				w.admit(e)
			}
			ev, _ := w.admit(endpoints[0])
			pass(100 * time.Millisecond)
			w.expectStatus(queue.StatusDelivered, ev)
		}
	})
}

// TestThousandsOfHangingTargetsCostABoundedNumberOfGoroutines is not parallel,
// so that it counts its own. All of them hang, and later all are given up.
func TestThousandsOfHangingTargetsCostABoundedNumberOfGoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var endpoints []*route.Endpoint
		for n := range 1000 {
			endpoints = append(endpoints, endpoint(fmt.Sprintf("hanging%04d", n), "a", "b"))
		}
		w := newWorld(t, nil, endpoints...)
		w.targets.script(func(r *http.Request, _ string) (int, http.Header, error) {
			return http.StatusOK, nil, hang(r, time.Hour)
		})
		before, most := runtime.NumGoroutine(), 0
		for range 5 {
			for _, e := range endpoints {
				w.admit(e)
			}
			pass(10 * time.Second)
			most = max(most, runtime.NumGoroutine()-before)
		}
		var resting []*route.Endpoint
		for _, e := range endpoints {
			resting = append(resting, suspended(e))
		}
		w.engine.SetRoutes(resting)
		most = max(most, runtime.NumGoroutine()-before)
		// One for each of the 1024 attempts, 64 that give leases back, 8 that claim.
		if most > 1024+64+8+16 {
			t.Errorf("%d goroutines for 10,000 deliveries to targets that hang", most)
		}
	})
}

func TestOneTenantThatHangsLeavesSlotsForNewcomers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		greedy := changed(endpoint("greedy", "a", "b", "c", "d"), func(e *route.Endpoint) {
			for i := range e.Targets {
				e.Targets[i].MaxInFlight = 100
			}
		})
		w := newWorld(t, func(o *deliver.Options) { o.MaxInFlight = 64 }, greedy)
		w.targets.script(func(r *http.Request, service string) (int, http.Header, error) {
			if service == "a.newcomer" {
				return http.StatusOK, nil, nil
			}
			return http.StatusOK, nil, hang(r, time.Hour)
		})
		for range 100 {
			w.admit(greedy)
		}
		synctest.Wait()
		newcomer := endpoint("newcomer", "a")
		w.engine.SetRoutes(routes(greedy, newcomer))
		ev, _ := w.admit(newcomer)
		synctest.Wait()
		w.expectStatus(queue.StatusDelivered, ev)
	})
}

func TestBacklogAndNewEventsShareATarget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := endpoint("ci", "a")
		w := newWorld(t, nil, e)
		w.targets.script(func(r *http.Request, _ string) (int, http.Header, error) {
			return http.StatusOK, nil, hang(r, 10*time.Millisecond)
		})
		for range 1000 {
			w.admitUnleased(e)
		}
		old, began := w.event(e).ID, time.Now()
		// The target does 400 a second and gets 300 new ones a second.
		for range 3000 {
			w.admit(e)
			pass(time.Second / 300)
		}
		backlog, fresh := 0, 0
		var last time.Time
		for _, a := range w.targets.at() {
			if a.id < old {
				backlog++
				last = a.at
			} else {
				fresh++
			}
		}
		if backlog != 1000 || fresh < 2900 {
			t.Errorf("in 10s came %d of the backlog and %d new events, want 1000 and most of 3000", backlog, fresh)
		}
		if took := last.Sub(began); took > 6*time.Second {
			t.Errorf("the backlog took %v, want the 5s that half of the target's capacity needs", took)
		}
	})
}

// inHand is what an event takes beyond itself.
const inHand = 16 << 10

// Targets that answer quicker than the store takes outcomes must not fill the
// memory with events whose outcome waits for the store.
func TestOutcomesThatWaitForTheStoreHoldBackClaims(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := endpoint("ci", "a")
		w := newWorld(t, func(o *deliver.Options) { o.MemoryBudgetBytes = 32 << 20 }, e)
		w.worker.slow = 2 * time.Second
		for range 3000 {
			w.admitUnleased(e)
		}
		pass(time.Second)
		if got := len(w.targets.at()); got > 32<<20/inHand {
			t.Errorf("%d events are in memory, with room for %d", got, 32<<20/inHand)
		}
	})
}

func TestMemoryIsBoundedByBytes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		greedy, modest := endpoint("greedy", "a"), endpoint("modest", "a")
		w := newWorld(t, func(o *deliver.Options) { o.MemoryBudgetBytes = 1 << 20 }, greedy, modest)
		var held []*deliver.Reservation
		for {
			reservation, ok := w.engine.Reserve(queues(greedy), 64<<10-inHand)
			if !ok {
				break
			}
			held = append(held, reservation)
		}
		if len(held) != 8 {
			t.Errorf("one namespace got %d reservations of a sixteenth, want half of the budget", len(held))
		}
		other, ok := w.engine.Reserve(queues(modest), 64<<10-inHand)
		if !ok {
			t.Fatal("there is no room for another namespace")
		}
		other.Cancel()
		for _, reservation := range held {
			reservation.Cancel()
			reservation.Cancel()
		}
		if _, ok := w.engine.Reserve(queues(greedy), 512<<10-inHand); !ok {
			t.Error("cancelled reservations did not give all their room back")
		}
	})
}

func TestEventsBeyondTheBudgetAreDeliveredOneByOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := endpoint("ci", "a")
		w := newWorld(t, func(o *deliver.Options) { o.MemoryBudgetBytes = 1000 }, e)
		w.targets.script(func(r *http.Request, _ string) (int, http.Header, error) {
			return http.StatusOK, nil, hang(r, time.Millisecond)
		})
		for range 20 {
			if _, handed := w.admit(e); handed {
				t.Fatal("an event was handed over beyond the budget")
			}
		}
		pass(10 * time.Second)
		if got := len(w.targets.at()); got != 20 {
			t.Errorf("%d events were delivered, want 20", got)
		}
		if got := w.targets.most["a.ci"]; got != 1 {
			t.Errorf("%d events were in memory at a time, want 1", got)
		}
	})
}

// TestSmallEventsOfLargeEndpointsAreClaimedTogether: how large bodies may be says
// little of how large they are, and one claim loads no more than it says.
func TestSmallEventsOfLargeEndpointsAreClaimedTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := changed(endpoint("ci", "a"), func(e *route.Endpoint) {
			e.MaxBodyBytes, e.Targets[0].MaxInFlight = 25<<20, 16
		})
		w := newWorld(t, func(o *deliver.Options) { o.MemoryBudgetBytes = 64 << 20 }, e)
		w.targets.script(func(r *http.Request, _ string) (int, http.Header, error) {
			return http.StatusOK, nil, hang(r, time.Second)
		})
		for range 16 {
			w.admitUnleased(e)
		}
		pass(10 * time.Second)
		if got := w.targets.most["a.ci"]; got != 16 {
			t.Errorf("%d of 16 events were delivered at a time", got)
		}
	})
}

// TestMemoryBudgetChanges: what is in memory stays, and the rest obeys.
func TestMemoryBudgetChanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := endpoint("ci", "a")
		w := newWorld(t, func(o *deliver.Options) { o.MemoryBudgetBytes = 8 << 20 }, e)
		kept, ok := w.engine.Reserve(queues(e), 4<<20-inHand)
		if !ok {
			t.Fatal("half of the budget cannot be reserved")
		}
		w.engine.SetMemoryBudget(1 << 20)
		if _, ok := w.engine.Reserve(queues(e), 1); ok {
			t.Error("there is room beyond the new budget")
		}
		kept.Cancel()
		for size, want := range map[int64]bool{1 << 20: false, 512<<10 - inHand: true} {
			reservation, ok := w.engine.Reserve(queues(e), size)
			if ok != want {
				t.Errorf("%d bytes of 1 MiB are reserved: %v, want %v", size, ok, want)
			}
			if ok {
				reservation.Cancel()
			}
		}
	})
}

func TestMemoryIsFreeAfterDelivery(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := endpoint("ci", "a", "b")
		w := newWorld(t, func(o *deliver.Options) { o.MemoryBudgetBytes = 8 << 20 }, e)
		for range 30 {
			w.admit(e)
			w.admitUnleased(e)
		}
		pass(time.Minute)
		if _, ok := w.engine.Reserve(queues(e), 4<<20-inHand); !ok {
			t.Error("half of the budget cannot be reserved while nothing is in memory")
		}
	})
}
