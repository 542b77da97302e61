package deliver_test

import (
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

func TestHandOverIsDeliveredWithoutReadingTheStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := endpoint("ci", "a", "b")
		w := newWorld(t, nil, e)
		ev, handed := w.admit(e)
		synctest.Wait()
		if !handed || w.worker.called("Claim") != 0 {
			t.Errorf("handed over: %v, claims: %d; want a delivery from memory", handed, w.worker.called("Claim"))
		}
		w.expectStatus(queue.StatusDelivered, ev)
		for _, service := range []string{"a.ci", "b.ci"} {
			got := w.targets.at(service)
			if len(got) != 1 || got[0].id != ev.ID || got[0].body != "{}\n" || got[0].attempt != 1 {
				t.Errorf("%s got %+v, want the event once", service, got)
			}
		}
		report := w.seen.reports[0]
		if report.Result != deliver.ResultDelivered || report.Status != 200 || report.Attempt != 1 || report.Event != ev {
			t.Errorf("report is %+v, want a delivery", report)
		}
	})
}

func TestUnleasedEventsAreClaimedAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := endpoint("ci", "a")
		w := newWorld(t, nil, e)
		synctest.Wait()
		began := time.Now()
		for range 50 {
			w.admitUnleased(e)
		}
		synctest.Wait()
		got := w.targets.at()
		if len(got) != 50 || !got[49].at.Equal(began) {
			t.Errorf("%d events came, want 50 without a wait", len(got))
		}
	})
}

func TestEventsOfAnEarlierProcessAreFoundAtStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := endpoint("ci", "a")
		w := newWorld(t, nil, e)
		w.stop()
		w.engine.Wait()
		ev := w.event(e)
		if _, err := w.store.Admit(t.Context(), &queue.Admission{Event: ev, Targets: names(e), HistoryLimit: 9}); err != nil {
			t.Fatal(err)
		}
		w.start(nil, e)
		synctest.Wait()
		w.expectStatus(queue.StatusDelivered, ev)
	})
}

func TestRetriesFollowTheSchedule(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := endpoint("ci", "a")
		w := newWorld(t, nil, e)
		w.targets.reply(http.StatusUnprocessableEntity)
		began := time.Now()
		ev, _ := w.admit(e)
		pass(70 * time.Second)
		w.targets.reply(http.StatusNoContent)
		pass(70 * time.Second)
		// Half of 1, 2, 4, 8 … seconds after each attempt.
		want := []time.Duration{0, 500, 1500, 3500, 7500, 15500, 31500, 63500, 127500}
		got := w.targets.at()
		if len(got) != len(want) {
			t.Fatalf("%d attempts, want %d", len(got), len(want))
		}
		for i, a := range got {
			if late := a.at.Sub(began) - want[i]*time.Millisecond; late < 0 || late > 5*time.Millisecond || a.attempt != i+1 {
				t.Errorf("attempt %d came after %v as number %d, want %vms", i+1, a.at.Sub(began), a.attempt, int64(want[i]))
			}
		}
		w.expectStatus(queue.StatusDelivered, ev)
		if state := w.state(ev); state.Attempts != len(want) || state.Log[0].Status == 0 {
			t.Errorf("the store knows %d attempts, want %d with their status", state.Attempts, len(want))
		}
	})
}

func TestEventsDie(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		retry    route.Retry
		status   int
		reason   string
		attempts int
	}{
		{"gone", route.Retry{InitialBackoffSeconds: 1, MaxBackoffSeconds: 1}, http.StatusGone, "gone", 1},
		{"attempts", route.Retry{InitialBackoffSeconds: 1, MaxBackoffSeconds: 1, MaxAttempts: 3}, 400, "attempts_exhausted", 3},
		{"age", route.Retry{InitialBackoffSeconds: 2, MaxBackoffSeconds: 2, MaxAgeSeconds: 10}, 400, "expired", 10},
		{"redirect", route.Retry{InitialBackoffSeconds: 1, MaxBackoffSeconds: 1, MaxAttempts: 2}, 302, "attempts_exhausted", 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := changed(endpoint("ci", "a"), func(e *route.Endpoint) { e.Retry = test.retry })
				w := newWorld(t, nil, e)
				w.targets.reply(test.status)
				ev, _ := w.admit(e)
				pass(time.Minute)
				state := w.state(ev)
				if state.Status != queue.StatusDead || state.Reason != test.reason || state.Attempts != test.attempts {
					t.Errorf("got %s (%s) after %d attempts, want dead (%s) after %d",
						state.Status, state.Reason, state.Attempts, test.reason, test.attempts)
				}
				last := w.seen.reports[len(w.seen.reports)-1]
				if last.Result != deliver.ResultDead || last.Reason != test.reason || last.Status != test.status {
					t.Errorf("last report is %+v", last)
				}
			})
		})
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]func() string{
		"seconds": func() string { return "40" },
		"date":    func() string { return time.Now().Add(40 * time.Second).UTC().Format(http.TimeFormat) },
		"capped":  func() string { return "86400" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := changed(endpoint("ci", "a"), func(e *route.Endpoint) { e.Retry.MaxBackoffSeconds = 40 })
				w := newWorld(t, nil, e)
				w.targets.script(func(*http.Request, string) (int, http.Header, error) {
					return http.StatusServiceUnavailable, http.Header{"Retry-After": {value()}}, nil
				})
				w.admit(e)
				pass(39 * time.Second)
				if got := len(w.targets.at()); got != 1 {
					t.Errorf("%d attempts within the time that the target asked for, want 1", got)
				}
				pass(2 * time.Second)
				if got := len(w.targets.at()); got != 2 {
					t.Errorf("%d attempts after it, want 2", got)
				}
			})
		})
	}
}

func TestTimeoutsAndErrorsAreRetried(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := endpoint("ci", "a")
		w := newWorld(t, nil, e)
		w.targets.script(func(r *http.Request, _ string) (int, http.Header, error) {
			if r.Header.Get("Postern-Attempt") == "1" {
				return 200, nil, hang(r, time.Hour)
			}
			return 0, nil, errors.New("connection reset by peer")
		})
		ev, _ := w.admit(e)
		pass(16 * time.Second)
		state := w.state(ev)
		if len(state.Log) != 2 || state.Log[0].Latency != 15*time.Second || state.Log[1].Error == "" {
			t.Fatalf("attempts are %+v, want a timeout of 15s and an error", state.Log)
		}
		reasons := []string{w.seen.reports[0].Reason, w.seen.reports[1].Reason}
		if !slices.Equal(reasons, []string{"timeout", "connection_failed"}) {
			t.Errorf("reasons are %v", reasons)
		}
	})
}

func TestReplayOfAnOldEventIsDeliveredAndMarked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := endpoint("ci", "a")
		w := newWorld(t, nil, e)
		w.targets.reply(http.StatusGone)
		ev, _ := w.admit(e)
		synctest.Wait()
		w.targets.reply(http.StatusOK)
		pass(200 * time.Hour)
		if _, err := w.store.Replay(t.Context(), e.UID, ev.ID, nil); err != nil {
			t.Fatal(err)
		}
		w.engine.Wake(queues(e)...)
		synctest.Wait()
		w.expectStatus(queue.StatusDelivered, ev)
		got := w.targets.at()
		if len(got) != 2 {
			t.Fatalf("%d arrivals, want the event and its replay", len(got))
		}
		first, second := got[0].header.Get("Postern-Replay"), got[1].header.Get("Postern-Replay")
		if first != "" || second != "true" || got[1].attempt != 1 {
			t.Errorf("marks are %q and %q, attempt %d; want only the second marked, as attempt 1", first, second, got[1].attempt)
		}
	})
}

// TestReplayHasTheWholeAgeAnew: it began when somebody asked, however few
// attempts were made since.
func TestReplayHasTheWholeAgeAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := changed(endpoint("ci", "a"), func(e *route.Endpoint) { e.Retry.MaxAgeSeconds = 3600 })
		w := newWorld(t, nil, e)
		w.targets.reply(http.StatusGone)
		ev, _ := w.admit(e)
		pass(200 * time.Hour)
		w.targets.reply(http.StatusBadRequest)
		if _, err := w.store.Replay(t.Context(), e.UID, ev.ID, nil); err != nil {
			t.Fatal(err)
		}
		w.engine.Wake(queues(e)...)
		pass(49 * time.Minute)
		w.expectStatus(queue.StatusPending, ev)
		pass(12 * time.Minute)
		w.expectStatus(queue.StatusDead, ev)
		if got := w.state(ev).Reason; got != "expired" {
			t.Errorf("reason is %s, want expired", got)
		}
	})
}

// TestOldDeadLettersAreGivenUp: those of an endpoint that says how long, and no others.
func TestOldDeadLettersAreGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		kept := endpoint("ci", "a")
		limited := changed(endpoint("shop", "a"), func(e *route.Endpoint) { e.DeadMaxAgeSeconds = 3600 })
		w := newWorld(t, nil, kept, limited)
		w.targets.reply(http.StatusGone)
		for _, e := range []*route.Endpoint{kept, limited} {
			w.admit(e)
		}
		dead := func() (all []int64) {
			t.Helper()
			depths, err := w.store.Depths(t.Context(), append(queues(kept), queues(limited)...))
			if err != nil {
				t.Fatal(err)
			}
			return []int64{depths[0].Dead, depths[1].Dead}
		}
		pass(59 * time.Minute)
		if got := dead(); !slices.Equal(got, []int64{1, 1}) {
			t.Errorf("dead letters before the time: %v", got)
		}
		pass(2 * time.Minute)
		if got := dead(); !slices.Equal(got, []int64{1, 0}) || w.seen.expired != 1 {
			t.Errorf("dead letters after it: %v, %d were told", got, w.seen.expired)
		}
	})
}

// TestClaimsDoNotShrinkWithTheLimit: an endpoint that may get large bodies has
// its small ones claimed many at a time.
func TestClaimsDoNotShrinkWithTheLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := endpoint("ci", "a")
		e.MaxBodyBytes, e.Targets[0].MaxInFlight = route.MaxBodyBytesLimit, 32
		w := newWorld(t, func(o *deliver.Options) { o.MemoryBudgetBytes = 64 << 20 }, e)
		synctest.Wait()
		const events = 32
		for range events {
			admission := &queue.Admission{Event: w.event(e), Targets: names(e), HistoryLimit: 9}
			if _, err := w.store.Admit(t.Context(), admission); err != nil {
				t.Fatal(err)
			}
		}
		before := w.worker.called("Claim")
		w.engine.Wake(queues(e)...)
		synctest.Wait()
		if got := len(w.targets.at()); got != events {
			t.Errorf("%d events came, want %d", got, events)
		}
		if claims := w.worker.called("Claim") - before; claims > 4 {
			t.Errorf("%d claims for %d small events", claims, events)
		}
	})
}
