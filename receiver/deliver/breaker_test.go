package deliver_test

import (
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postern-dev/postern/receiver/deliver"
	"github.com/postern-dev/postern/receiver/event"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/route"
)

func TestFailingTargetCostsOneProbePerBackoff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := endpoint("ci", "a")
		w := newWorld(t, nil, e)
		w.targets.reply(http.StatusBadGateway)
		var events []*event.Event
		for range 1000 {
			ev, _ := w.admit(e)
			events = append(events, ev)
		}
		pass(10 * time.Minute)
		attempts := len(w.targets.at())
		// 5 to 8 until it opens, then one every 1.5 s.
		if attempts < 350 || attempts > 450 {
			t.Errorf("%d attempts at a failing target in 10 minutes, want about 400", attempts)
		}
		spent := 0
		for _, ev := range events {
			spent += w.state(ev).Attempts
		}
		if spent != attempts {
			t.Errorf("%d attempts were spent for %d requests: waiting must spend none", spent, attempts)
		}
		w.targets.reply(http.StatusOK)
		pass(11 * time.Minute)
		w.expectStatus(queue.StatusDelivered, events...)
		if len(w.seen.breakers) != 2 || !w.seen.breakers[0] || w.seen.breakers[1] {
			t.Errorf("breaker changes are %v, want open, closed", w.seen.breakers)
		}
	})
}

func TestBacklogDrainsAtOnceWhenTheTargetIsBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := endpoint("ci", "a")
		w := newWorld(t, nil, e)
		w.targets.reply(http.StatusBadGateway)
		for range 500 {
			w.admit(e)
		}
		pass(time.Hour)
		before := len(w.targets.at())
		w.targets.reply(http.StatusOK)
		pass(2 * time.Second)
		if got := len(w.targets.at()) - before; got < 450 {
			t.Errorf("%d of 500 events came within 2s of the recovery", got)
		}
	})
}

func TestRefusedEventsDoNotHoldUpOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := endpoint("ci", "a")
		w := newWorld(t, nil, e)
		w.targets.script(func(r *http.Request, _ string) (int, http.Header, error) {
			if id := r.Header.Get("Postern-Event-Id"); id[31] == '0' {
				return http.StatusOK, nil, nil
			}
			return http.StatusBadRequest, nil, nil
		})
		for range 64 {
			ev, _ := w.admit(e)
			synctest.Wait()
			if ev.ID[31] == '0' {
				w.expectStatus(queue.StatusDelivered, ev)
			}
		}
		if len(w.seen.breakers) != 0 {
			t.Errorf("refusing events opened the breaker: %v", w.seen.breakers)
		}
	})
}

func TestDeadTargetBesideAHealthyOneOfTheSameEndpoint(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := endpoint("ci", "dead", "slow", "healthy")
		w := newWorld(t, nil, e)
		w.targets.script(func(r *http.Request, service string) (int, http.Header, error) {
			switch service {
			case "dead.ci":
				return http.StatusBadGateway, nil, nil
			case "slow.ci":
				return http.StatusOK, nil, hang(r, 14*time.Second)
			}
			return http.StatusOK, nil, hang(r, 10*time.Millisecond)
		})
		for range 300 {
			ev, _ := w.admit(e)
			pass(100 * time.Millisecond)
			if got := w.state(ev, "healthy").Status; got != queue.StatusDelivered {
				t.Fatalf("after 100ms event %s is %s at the healthy target", ev.ID, got)
			}
		}
		if got := w.targets.most["slow.ci"]; got != 4 {
			t.Errorf("the slow target had %d requests at a time, want its maxInFlight of 4", got)
		}
		settled := w.worker.called("Settle")
		if extra := settled - len(w.targets.at()); extra > 300 {
			t.Errorf("%d settlements beyond those of attempts: events for a dead target must wait without cost", extra)
		}
	})
}

// TestEventOfADeadTargetIsThereWhenTheTargetIs: it was leased for the sake of
// the healthy target, and must not wait until that lease runs out.
func TestEventOfADeadTargetIsThereWhenTheTargetIs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := changed(endpoint("ci", "dead", "healthy"), func(e *route.Endpoint) { e.Retry.MaxBackoffSeconds = 2 })
		w := newWorld(t, nil, e)
		w.targets.script(func(_ *http.Request, service string) (int, http.Header, error) {
			if service == "dead.ci" {
				return http.StatusBadGateway, nil, nil
			}
			return http.StatusOK, nil, nil
		})
		var events []*event.Event
		for range 20 {
			ev, handed := w.admit(e)
			if !handed {
				t.Fatal("an event with a healthy target was not handed over")
			}
			events = append(events, ev)
			synctest.Wait()
		}
		w.targets.reply(http.StatusOK)
		pass(5 * time.Second)
		w.expectStatus(queue.StatusDelivered, events...)
	})
}

func TestEventsForADeadTargetHoldNoMemory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := endpoint("ci", "dead", "healthy")
		w := newWorld(t, func(o *deliver.Options) { o.MemoryBudgetBytes = 1 << 20 }, e)
		w.targets.script(func(_ *http.Request, service string) (int, http.Header, error) {
			if service == "dead.ci" {
				return http.StatusBadGateway, nil, nil
			}
			return http.StatusOK, nil, nil
		})
		for range 100 {
			w.admit(e)
			synctest.Wait()
		}
		reservation, ok := w.engine.Reserve(queues(e), 512<<10-inHand)
		if !ok {
			t.Fatal("events for a dead target stay in memory")
		}
		reservation.Cancel()
		w.targets.reply(http.StatusOK)
		pass(5 * time.Minute)
		if state, err := w.store.Depths(t.Context(), queues(e)); err != nil || state[0].Pending != 0 {
			t.Errorf("after the recovery the store holds %+v (%v)", state, err)
		}
	})
}

func TestProbeThatFindsNothingIsNotTheLast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := endpoint("ci", "a")
		w := newWorld(t, nil, e)
		w.targets.reply(http.StatusBadGateway)
		for range 8 {
			w.admit(e)
		}
		synctest.Wait()
		// Another replica delivers everything meanwhile.
		pass(100 * time.Millisecond)
		for range 100 {
			others, err := w.store.Claim(t.Context(), queues(e)[0], 100, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			for _, delivery := range others {
				_ = w.store.Settle(t.Context(), delivery.Lease, queue.Settlement{Outcome: queue.Done})
			}
			pass(10 * time.Millisecond)
		}
		pass(time.Minute)
		w.targets.reply(http.StatusOK)
		ev, _ := w.admit(e)
		pass(time.Minute)
		w.expectStatus(queue.StatusDelivered, ev)
	})
}

func TestProbeWithAnExpiredEventIsNotTheLast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := changed(endpoint("ci", "a"), func(e *route.Endpoint) { e.Retry.MaxAgeSeconds = 20 })
		w := newWorld(t, func(o *deliver.Options) { o.RescanInterval = 1000 * time.Hour }, e)
		w.targets.script(func(*http.Request, string) (int, http.Header, error) {
			return http.StatusServiceUnavailable, http.Header{"Retry-After": {"30"}}, nil
		})
		for range 100 {
			w.admit(e)
		}
		pass(25 * time.Second)
		ev, _ := w.admit(e)
		w.targets.reply(http.StatusOK)
		pass(20 * time.Second)
		w.expectStatus(queue.StatusDelivered, ev)
	})
}

func TestExpiredEventsDieWhileTheBreakerIsOpen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := changed(endpoint("ci", "a"), func(e *route.Endpoint) { e.Retry.MaxAgeSeconds = 60 })
		w := newWorld(t, nil, e)
		w.targets.reply(http.StatusServiceUnavailable)
		var events []*event.Event
		for range 100 {
			ev, _ := w.admit(e)
			events = append(events, ev)
		}
		pass(55 * time.Second)
		fresh, _ := w.admit(e)
		pass(30 * time.Second)
		w.expectStatus(queue.StatusDead, events...)
		w.expectStatus(queue.StatusPending, fresh)
		if got := w.state(events[99]).Reason; got != "expired" {
			t.Errorf("reason is %s, want expired", got)
		}
	})
}

func TestExpiredEventsDieWhileTheServiceIsMissing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := changed(endpoint("ci", "a"), func(e *route.Endpoint) {
			e.Retry.MaxAgeSeconds = 60
			e.Targets[0].Unavailable = &route.Unavailable{Reason: "ServiceNotFound"}
		})
		w := newWorld(t, nil, e)
		ev, handed := w.admit(e)
		pass(50 * time.Second)
		w.expectStatus(queue.StatusPending, ev)
		pass(50 * time.Second)
		w.expectStatus(queue.StatusDead, ev)
		if handed || len(w.targets.at()) != 0 {
			t.Errorf("handed over: %v, attempts: %d; want neither", handed, len(w.targets.at()))
		}
	})
}

func TestNewAddressForgetsTheBreaker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := endpoint("ci", "a")
		w := newWorld(t, nil, e)
		w.targets.script(func(_ *http.Request, service string) (int, http.Header, error) {
			if service == "a.ci" {
				return http.StatusBadGateway, nil, nil
			}
			return http.StatusOK, nil, nil
		})
		for range 20 {
			w.admit(e)
		}
		pass(time.Hour)
		before := len(w.targets.at("a.ci"))
		moved := changed(e, func(e *route.Endpoint) { e.Targets[0].Service = "b" })
		w.engine.SetRoutes([]*route.Endpoint{moved})
		w.admit(moved)
		synctest.Wait()
		if got := len(w.targets.at("b.ci")); got == 0 {
			t.Error("the new Service waits for the old one's back-off")
		}
		pass(10 * time.Minute)
		if got := len(w.targets.at("a.ci")); got != before {
			t.Errorf("the old Service got %d requests after the edit", got-before)
		}
		if got := w.seen.breakers; !slices.Equal(got, []bool{true, false}) {
			t.Errorf("breaker changes are %v, want open, closed", got)
		}
	})
}
