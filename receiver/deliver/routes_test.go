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

func suspended(e *route.Endpoint) *route.Endpoint {
	return changed(e, func(e *route.Endpoint) { e.Suspend = true })
}

func TestSuspendDeliversNothingUntilItEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := changed(endpoint("ci", "a"), func(e *route.Endpoint) { e.Retry.MaxAgeSeconds = 3600 })
		w := newWorld(t, nil, suspended(e))
		var events []*event.Event
		for range 100 {
			ev, handed := w.admit(e)
			events = append(events, ev)
			if handed {
				t.Fatal("an event of a suspended endpoint was handed over")
			}
		}
		pass(30 * time.Minute)
		if got := len(w.targets.at()); got != 0 {
			t.Fatalf("a suspended endpoint sent %d requests", got)
		}
		w.engine.SetRoutes([]*route.Endpoint{e})
		synctest.Wait()
		w.expectStatus(queue.StatusDelivered, events...)
	})
}

func TestSuspendGivesBackWhatIsInMemory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := endpoint("ci", "a")
		w := newWorld(t, nil, e)
		w.targets.script(func(r *http.Request, _ string) (int, http.Header, error) {
			return http.StatusOK, nil, hang(r, time.Second)
		})
		for range 20 {
			w.admit(e)
		}
		synctest.Wait()
		w.engine.SetRoutes([]*route.Endpoint{suspended(e)})
		synctest.Wait()
		if got := w.due(queues(e)[0]); got != 16 {
			t.Errorf("%d events are due for other replicas, want the 16 that waited in memory", got)
		}
		pass(time.Hour)
		if got := len(w.targets.at()); got != 4 {
			t.Errorf("%d requests went out, want the 4 that were under way", got)
		}
		w.engine.SetRoutes([]*route.Endpoint{e})
		pass(5 * time.Second)
		if got := len(w.targets.at()); got != 20 {
			t.Errorf("%d requests went out, want every event once", got)
		}
	})
}

func TestEventsOfASuspendedEndpointDoNotDie(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := changed(endpoint("ci", "a"), func(e *route.Endpoint) { e.Retry.MaxAgeSeconds = 60 })
		w := newWorld(t, nil, suspended(e))
		ev, _ := w.admit(e)
		pass(time.Hour)
		w.expectStatus(queue.StatusPending, ev)
		w.engine.SetRoutes(routes(e))
		synctest.Wait()
		w.expectStatus(queue.StatusDead, ev)
	})
}

func TestLoweredTimeoutHoldsFromTheNextAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := patient("a")
		w := newWorld(t, nil, e)
		w.slowly(time.Hour)
		w.admit(e)
		pass(10 * time.Second)
		w.engine.SetRoutes(routes(changed(e, func(e *route.Endpoint) { e.Targets[0].TimeoutSeconds = 2 })))
		pass(305 * time.Second)
		reports := w.seen.all()
		if len(reports) < 2 || reports[0].Latency != 300*time.Second || reports[1].Latency != 2*time.Second {
			t.Errorf("attempts were %+v, want one of 300s and then of 2s", reports)
		}
	})
}

func TestMissingServiceWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := endpoint("ci", "a")
		missing := changed(e, func(e *route.Endpoint) {
			e.Targets[0].Unavailable = &route.Unavailable{Reason: "ServiceNotFound"}
		})
		w := newWorld(t, nil, missing)
		ev, _ := w.admit(e)
		pass(time.Hour)
		if state := w.state(ev); state.Status != queue.StatusPending || state.Attempts != 0 || len(w.targets.at()) != 0 {
			t.Errorf("event is %+v after %d requests, want it to wait untouched", state, len(w.targets.at()))
		}
		w.engine.SetRoutes([]*route.Endpoint{e})
		synctest.Wait()
		w.expectStatus(queue.StatusDelivered, ev)
	})
}

func TestRemovedTargetGetsNothingAndItsEventsBecomeDeadLetters(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := endpoint("ci", "a", "b")
		w := newWorld(t, nil, e)
		w.targets.reply(http.StatusBadRequest)
		var events []*event.Event
		for range 30 {
			ev, _ := w.admit(e)
			events = append(events, ev)
		}
		synctest.Wait()
		w.put(changed(e, func(e *route.Endpoint) { e.Targets = e.Targets[1:] }))
		synctest.Wait()
		before := len(w.targets.at("a.ci"))
		pass(9 * time.Minute)
		for _, ev := range events {
			if got := w.state(ev, "a").Status; got != queue.StatusPending {
				t.Fatalf("event is %s within the grace, want pending", got)
			}
		}
		pass(30 * time.Minute)
		for _, ev := range events {
			if got := w.state(ev, "a"); got.Status != queue.StatusDead || got.Reason != "target_removed" {
				t.Fatalf("event is %s (%s) at the removed target, want dead (target_removed)", got.Status, got.Reason)
			}
			if got := w.state(ev, "b").Status; got != queue.StatusPending {
				t.Fatalf("event is %s at the target that stayed", got)
			}
		}
		if got := len(w.targets.at("a.ci")); got != before {
			t.Errorf("the removed target got %d more requests", got-before)
		}
		want := []deliver.Ref{{Namespace: "ci", Endpoint: "in", Target: "a"}}
		if !slices.Equal(w.seen.removed, want) {
			t.Errorf("removed are %v, want %v", w.seen.removed, want)
		}
	})
}

func TestTargetThatComesBackWithinTheGraceGetsItsEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := endpoint("ci", "a", "b")
		w := newWorld(t, nil, suspended(e))
		ev, _ := w.admit(e)
		without := changed(e, func(e *route.Endpoint) { e.Targets = e.Targets[1:] })
		w.engine.SetRoutes([]*route.Endpoint{without})
		pass(9 * time.Minute)
		w.engine.SetRoutes([]*route.Endpoint{e})
		synctest.Wait()
		if got := w.state(ev, "a").Status; got != queue.StatusDelivered {
			t.Errorf("event is %s, want delivered", got)
		}
	})
}

func TestTombstoneEndsAnEndpointAfterItsGrace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gone, kept, broken := endpoint("gone", "a"), endpoint("kept", "a"), endpoint("broken", "a")
		w := newWorld(t, nil, suspended(gone), suspended(kept), suspended(broken))
		for _, e := range []*route.Endpoint{gone, kept, broken} {
			w.admit(e)
		}
		w.engine.SetRoutes([]*route.Endpoint{suspended(kept)}, broken.UID)
		held := func(e *route.Endpoint) bool {
			page, err := w.store.List(t.Context(), e.UID, queue.Filter{})
			if err != nil {
				t.Fatal(err)
			}
			return len(page.Events) > 0
		}
		pass(10 * time.Hour)
		if !held(gone) {
			t.Fatal("the events of an endpoint without a route and without a tombstone are gone")
		}
		if got := w.engine.Orphans(); got != 1 {
			t.Errorf("%d orphans, want 1", got)
		}
		w.engine.SetTombstones([]string{gone.UID, kept.UID, broken.UID})
		pass(10 * time.Hour)
		if !held(gone) {
			t.Fatal("the events of an endpoint went although the API server does not confirm its deletion")
		}
		w.api.deleted(gone.UID)
		w.api.isAway(true)
		pass(10 * time.Hour)
		if !held(gone) {
			t.Fatal("the events of an endpoint went while the API server was away")
		}
		w.engine.SetTombstones([]string{kept.UID, broken.UID})
		pass(2 * time.Minute)
		w.engine.SetTombstones([]string{gone.UID, kept.UID, broken.UID})
		w.api.isAway(false)
		pass(50 * time.Second)
		if !held(gone) || len(w.engine.Purged()) != 0 {
			t.Error("the events of a deleted endpoint went before the grace was over")
		}
		pass(2 * time.Minute)
		if held(gone) {
			t.Error("the events of a deleted endpoint are still there")
		}
		if got := w.engine.Purged(); !slices.Equal(got, []string{gone.UID}) {
			t.Errorf("purged are %v, want the deleted one", got)
		}
		w.admitUnleased(suspended(gone))
		pass(5 * time.Minute)
		if held(gone) {
			t.Error("an event that another receiver admitted afterwards is still there")
		}
		if !held(kept) || !held(broken) {
			t.Error("events of an endpoint that exists were purged")
		}
		if len(w.targets.at()) != 0 {
			t.Error("something was delivered")
		}
	})
}

func TestNothingIsCleanedBeforeTheFirstTable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := endpoint("ci", "a")
		w := newWorld(t, nil, suspended(e))
		ev, _ := w.admit(e)
		w.stop()
		w.engine.Wait()
		w.engine = deliver.New(deliver.Options{Worker: w.worker, Keeper: w.store, Current: w.api.current, Transport: w.targets})
		w.engine.Start(t.Context())
		pass(10 * time.Hour)
		w.expectStatus(queue.StatusPending, ev)
		w.engine.Drain(t.Context())
	})
}

// TestProvisionalTableCleansNothing: a receiver that begins with an old
// snapshot, beside a store with events of newer endpoints and targets.
func TestProvisionalTableCleansNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		old, newer := endpoint("ci", "a"), endpoint("newer", "a")
		grown := suspended(endpoint("ci", "a", "b"))
		w := newWorld(t, nil, grown, suspended(newer))
		ofEndpoint, _ := w.admit(newer)
		ofTarget, _ := w.admit(grown)
		w.stop()
		w.engine.Wait()
		w.start(nil)
		w.engine.SetProvisionalRoutes(routes(old))
		pass(10 * time.Hour)
		w.expectStatus(queue.StatusPending, ofEndpoint)
		if got := w.state(ofTarget, "b").Status; got != queue.StatusPending {
			t.Errorf("the event of a newer target is %s", got)
		}
		if got := w.state(ofTarget, "a").Status; got != queue.StatusDelivered {
			t.Errorf("the event of a target that the old table names is %s", got)
		}
		w.engine.SetRoutes(routes(endpoint("ci", "a", "b"), newer))
		pass(time.Second)
		w.expectStatus(queue.StatusDelivered, ofEndpoint, ofTarget)
	})
}

// TestNothingIsToldOfARemovedTarget: what is told after Removed would make
// series again that nobody deletes.
func TestNothingIsToldOfARemovedTarget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := endpoint("ci", "a", "b")
		w := newWorld(t, nil, e)
		w.targets.script(func(r *http.Request, _ string) (int, http.Header, error) {
			return http.StatusOK, nil, hang(r, 10*time.Second)
		})
		for range 8 {
			w.admit(e)
		}
		pass(3 * time.Second)
		w.engine.SetRoutes(routes(changed(e, func(e *route.Endpoint) { e.Targets = e.Targets[1:] })))
		synctest.Wait()
		reported := len(w.seen.all())
		ref := deliver.Ref{Namespace: "ci", Endpoint: "in", Target: "a"}
		before, _ := w.seen.depth(ref)
		pass(time.Hour)
		for _, report := range w.seen.all()[reported:] {
			if report.Ref.Target == "a" {
				t.Errorf("told of %+v after the removal", report)
			}
		}
		if depth, _ := w.seen.depth(ref); depth != before {
			t.Errorf("told the depth %+v after the removal", depth)
		}
		if got := len(w.targets.at("a.ci")); got != 4 {
			t.Errorf("the removed target got %d requests, want the 4 that were under way", got)
		}
	})
}

// TestNameThatIsTakenAgainKeepsItsSeries: an endpoint was deleted and made
// anew, and both changes came with one table.
func TestNameThatIsTakenAgainKeepsItsSeries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := endpoint("ci", "a")
		w := newWorld(t, nil, e)
		w.engine.SetRoutes(routes(changed(e, func(e *route.Endpoint) { e.UID = "another" })))
		if len(w.seen.removed) != 0 {
			t.Errorf("removed are %v although the names are in use", w.seen.removed)
		}
	})
}

func TestRecreatedEndpointInheritsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := endpoint("ci", "a")
		w := newWorld(t, nil, suspended(e))
		w.admit(e)
		w.engine.SetRoutes([]*route.Endpoint{changed(e, func(e *route.Endpoint) { e.UID = "another" })})
		pass(30 * time.Minute)
		if got := len(w.targets.at()); got != 0 {
			t.Errorf("the new endpoint delivered %d events of the old one", got)
		}
	})
}

// TestDepthsFollowWhatHappens: who watches an outage sees it grow and end, and
// a target without events costs the store next to nothing.
func TestDepthsFollowWhatHappens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := endpoint("ci", "a")
		w := newWorld(t, nil, suspended(e))
		synctest.Wait()
		for _, step := range []struct {
			does string
			do   func()
			want int64
		}{
			{"admit", func() { w.admit(e) }, 1},
			{"admit more", func() { w.admit(e); w.admit(e) }, 3},
			{"resume", func() { w.engine.SetRoutes([]*route.Endpoint{e}) }, 0},
			{"fail", func() { w.targets.reply(http.StatusBadGateway); w.admit(e) }, 1},
			{"recover", func() { w.targets.reply(http.StatusOK); pass(5 * time.Second) }, 0},
		} {
			step.do()
			pass(3 * time.Second)
			if got := w.seen.depths[deliver.Ref{Namespace: "ci", Endpoint: "in", Target: "a"}]; got.Pending != step.want {
				t.Errorf("%s: depth is %+v after 3s, want %d pending", step.does, got, step.want)
			}
		}
		before := w.worker.called("Depths")
		pass(time.Minute)
		if calls := w.worker.called("Depths") - before; calls > 5 {
			t.Errorf("%d calls in a minute without events, want about four", calls)
		}
	})
}

func TestDepthsAreReported(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := endpoint("ci", "a")
		w := newWorld(t, nil, suspended(e))
		for range 7 {
			w.admit(e)
		}
		pass(time.Minute)
		got := w.seen.depths[deliver.Ref{Namespace: "ci", Endpoint: "in", Target: "a"}]
		if got.Pending != 7 || got.Dead != 0 || got.Oldest.IsZero() {
			t.Errorf("depth is %+v, want 7 pending", got)
		}
	})
}
