package replay_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/queue/queuetest"
	"github.com/postern-dev/postern/receiver/queue/redistest"
	"github.com/postern-dev/postern/receiver/replay"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/test/wait"
)

const uid = "uid-ci-github"

func id(n int) string { return fmt.Sprintf("%032x", n) }

// put admits an event for the targets and settles it everywhere.
func put(t *testing.T, store queue.Store, n int, eventType string, outcome queue.Outcome, targets ...string) {
	t.Helper()
	e := queuetest.Event(uid, id(n), time.Now())
	e.Type = eventType
	receipt, err := store.Admit(t.Context(), &queue.Admission{
		Event: e, Targets: targets, LeaseFor: time.Minute, RememberFor: time.Hour, HistoryLimit: 1000,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, lease := range receipt.Leases {
		if err := store.Settle(t.Context(), lease, queue.Settlement{Outcome: outcome, Reason: "gone"}); err != nil {
			t.Fatal(err)
		}
	}
}

// due returns the targets at which events are due, by id.
func due(t *testing.T, store queue.Store, targets ...string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for _, target := range targets {
		claimed, err := store.Claim(t.Context(), queue.ID{EndpointUID: uid, Target: target}, 1000, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		for _, delivery := range claimed {
			if delivery.Lease.Replayed.IsZero() {
				t.Errorf("event %s is due at %s and not marked as a replay", delivery.Lease.EventID, target)
			}
			found[delivery.Lease.EventID] = append(found[delivery.Lease.EventID], target)
		}
	}
	return found
}

// endpoint is what the runner's hooks know.
type endpoint struct {
	mu      sync.Mutex
	targets []string
	woken   map[queue.ID]bool
}

func (e *endpoint) options(store replay.Store) replay.Options {
	return replay.Options{
		Store: store,
		Targets: func(of string) ([]string, bool) {
			e.mu.Lock()
			defer e.mu.Unlock()
			return e.targets, of == uid && e.targets != nil
		},
		Wake: func(queues ...queue.ID) {
			e.mu.Lock()
			defer e.mu.Unlock()
			for _, id := range queues {
				e.woken[id] = true
			}
		},
	}
}

func loaded(targets ...string) *endpoint {
	return &endpoint{targets: targets, woken: map[queue.ID]bool{}}
}

// begin runs a runner until the test's end or until stopped.
func begin(t *testing.T, options replay.Options, asked ...*route.Replay) (runner *replay.Runner, stop func()) {
	t.Helper()
	runner = replay.New(options)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		runner.Run(ctx)
	}()
	runner.Set(asked)
	stop = sync.OnceFunc(func() {
		cancel()
		<-ended
	})
	t.Cleanup(stop)
	return runner, stop
}

func only(t *testing.T, runner *replay.Runner) route.ReplayProgress {
	t.Helper()
	progress := runner.Progress()
	if len(progress) != 1 {
		t.Fatalf("progress of %d replays, want 1", len(progress))
	}
	return progress[0]
}

func TestWhatIsSelected(t *testing.T) {
	t.Parallel()
	const before, after = 1, 100
	for name, test := range map[string]struct {
		ask     func(asked *route.Replay, start time.Time)
		matched int64
		want    map[string][]string
	}{
		"every dead letter": {
			ask: func(*route.Replay, time.Time) {}, matched: 4,
			want: map[string][]string{
				id(before): {"a"}, id(2): {"a", "b"}, id(3): {"a"}, id(after): {"a"},
			},
		},
		"by time": {
			ask: func(asked *route.Replay, start time.Time) {
				asked.ReceivedAfter, asked.ReceivedBefore = start.Add(time.Minute), start.Add(time.Hour)
			}, matched: 2,
			want: map[string][]string{id(2): {"a", "b"}, id(3): {"a"}},
		},
		"by type": {
			ask: func(asked *route.Replay, _ time.Time) { asked.EventTypes = []string{"pull_*"} }, matched: 1,
			want: map[string][]string{id(3): {"a"}},
		},
		"by id": {
			ask: func(asked *route.Replay, _ time.Time) { asked.EventIDs = []string{id(3), id(77), id(50)} }, matched: 1,
			want: map[string][]string{id(3): {"a"}},
		},
		"by target": {
			ask: func(asked *route.Replay, _ time.Time) { asked.Targets = []string{"b"} }, matched: 1,
			want: map[string][]string{id(2): {"b"}},
		},
		"delivered": {
			ask: func(asked *route.Replay, _ time.Time) { asked.Delivered = true }, matched: 1,
			want: map[string][]string{id(50): {"a"}},
		},
		"up to a limit, the latest first": {
			ask: func(asked *route.Replay, _ time.Time) { asked.Limit = 1 }, matched: 1,
			want: map[string][]string{id(after): {"a"}},
		},
		"dry run": {
			ask: func(asked *route.Replay, _ time.Time) { asked.DryRun = true }, matched: 4,
			want: map[string][]string{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				store, start := queue.NewMemory(queue.MemoryOptions{}), time.Now()
				put(t, store, before, "push", queue.Dead, "a")
				<-time.After(10 * time.Minute)
				put(t, store, 2, "push", queue.Dead, "a", "b", "removed")
				put(t, store, 3, "pull_request", queue.Dead, "a")
				put(t, store, 50, "push", queue.Done, "a")
				<-time.After(2 * time.Hour)
				put(t, store, after, "push", queue.Dead, "a")

				asked := &route.Replay{UID: "r", EndpointUID: uid}
				test.ask(asked, start)
				runner, _ := begin(t, loaded("a", "b").options(store), asked)
				synctest.Wait()
				progress := only(t, runner)
				if progress.FinishedAt.IsZero() || progress.Matched != test.matched {
					t.Errorf("progress is %+v, want %d matched and the end", progress, test.matched)
				}
				if want := int64(len(test.want)); progress.Replayed != want {
					t.Errorf("%d replayed, want %d", progress.Replayed, want)
				}
				if got := due(t, store, "a", "b", "removed"); !equal(got, test.want) {
					t.Errorf("due are %v, want %v", got, test.want)
				}
			})
		})
	}
}

func equal(a, b map[string][]string) bool {
	if len(a) != len(b) {
		return false
	}
	for key, values := range a {
		if !slices.Equal(values, b[key]) {
			return false
		}
	}
	return true
}

func TestRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := queue.NewMemory(queue.MemoryOptions{})
		for n := range 100 {
			put(t, store, n, "push", queue.Dead, "a")
		}
		runner, _ := begin(t, loaded("a").options(store), &route.Replay{UID: "r", EndpointUID: uid, EventsPerSecond: 10})
		<-time.After(5*time.Second + time.Millisecond)
		synctest.Wait()
		if progress := only(t, runner); progress.Replayed != 51 || !progress.FinishedAt.IsZero() {
			t.Errorf("after 5 s progress is %+v, want 51 replayed", progress)
		}
		<-time.After(5 * time.Second)
		synctest.Wait()
		if progress := only(t, runner); progress.Replayed != 100 || progress.FinishedAt.IsZero() {
			t.Errorf("after 10 s progress is %+v, want 100 replayed and the end", progress)
		}
	})
}

// TestAnotherGoesOn stops one of two runners half way.
func TestAnotherGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := queue.NewMemory(queue.MemoryOptions{})
		for n := range 100 {
			put(t, store, n, "push", queue.Done, "a")
		}
		asked := &route.Replay{UID: "r", EndpointUID: uid, Delivered: true, EventsPerSecond: 10}
		known := loaded("a")
		first, stop := begin(t, known.options(store), asked)
		synctest.Wait()
		second, _ := begin(t, known.options(store), asked)
		<-time.After(5 * time.Second)
		synctest.Wait()
		if progress := only(t, second); progress.Replayed != 0 {
			t.Errorf("the second replays too: %+v", progress)
		}
		stop()
		reached := only(t, first).Replayed
		<-time.After(time.Minute)
		synctest.Wait()
		progress := only(t, second)
		if progress.Replayed != 100 || progress.FinishedAt.IsZero() {
			t.Errorf("the second made it %+v after the first reached %d, want 100", progress, reached)
		}
		third, _ := begin(t, known.options(store), asked)
		synctest.Wait()
		if got := only(t, third); got != progress {
			t.Errorf("a third tells %+v, want what was reached", got)
		}
		if got := due(t, store, "a"); len(got) != 100 {
			t.Errorf("%d events are due, want 100", len(got))
		}
	})
}

func TestWaitsForTheEndpoint(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, known := queue.NewMemory(queue.MemoryOptions{}), loaded()
		put(t, store, 1, "push", queue.Dead, "a")
		runner, _ := begin(t, known.options(store), &route.Replay{UID: "r", EndpointUID: uid})
		synctest.Wait()
		if progress := only(t, runner); progress.Error == "" || !progress.FinishedAt.IsZero() {
			t.Errorf("without the endpoint progress is %+v, want an error and no end", progress)
		}
		known.mu.Lock()
		known.targets = []string{"a"}
		known.mu.Unlock()
		<-time.After(time.Minute)
		synctest.Wait()
		if progress := only(t, runner); progress.Error != "" || progress.Replayed != 1 || progress.FinishedAt.IsZero() {
			t.Errorf("with the endpoint progress is %+v, want the end", progress)
		}
		if !known.woken[queue.ID{EndpointUID: uid, Target: "a"}] {
			t.Error("delivery was not told")
		}
	})
}

func TestRemovedReplayStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := queue.NewMemory(queue.MemoryOptions{})
		for n := range 100 {
			put(t, store, n, "push", queue.Dead, "a")
		}
		runner, _ := begin(t, loaded("a").options(store), &route.Replay{UID: "r", EndpointUID: uid, EventsPerSecond: 1})
		<-time.After(10 * time.Second)
		synctest.Wait()
		runner.Set(nil)
		<-time.After(time.Hour)
		synctest.Wait()
		if got := len(due(t, store, "a")); got != 10 && got != 11 {
			t.Errorf("%d events are due, want those of ten seconds", got)
		}
		if progress := runner.Progress(); len(progress) != 0 {
			t.Errorf("progress is still told: %+v", progress)
		}
	})
}

// outage is a store that fails while it is told to.
type outage struct {
	queue.Store
	mu   sync.Mutex
	fail bool
}

func (o *outage) set(fail bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.fail = fail
}

func (o *outage) failing() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fail {
		return errors.New("store is away")
	}
	return nil
}

func (o *outage) Replay(ctx context.Context, endpoint, event string, targets []string) (int, error) {
	if err := o.failing(); err != nil {
		return 0, err
	}
	return o.Store.Replay(ctx, endpoint, event, targets)
}

func TestSurvivesTheStoresOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &outage{Store: queue.NewMemory(queue.MemoryOptions{})}
		for n := range 20 {
			put(t, store, n, "push", queue.Dead, "a")
		}
		runner, _ := begin(t, loaded("a").options(store), &route.Replay{UID: "r", EndpointUID: uid, EventsPerSecond: 2})
		<-time.After(3 * time.Second)
		store.set(true)
		<-time.After(time.Hour)
		synctest.Wait()
		if progress := only(t, runner); progress.Error == "" {
			t.Errorf("in the outage progress is %+v, want an error", progress)
		}
		store.set(false)
		<-time.After(time.Minute)
		synctest.Wait()
		if progress := only(t, runner); progress.Replayed != 20 || progress.Matched != 20 || progress.FinishedAt.IsZero() {
			t.Errorf("after the outage progress is %+v, want 20 and the end", progress)
		}
	})
}

// TestRedis replays more than a page from a real server, twice asked for.
func TestRedis(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := queuetest.Connect(t, queue.Options{URL: server.URL()})
	const events = 250
	for n := range events {
		put(t, store, n, "push", queue.Dead, "a")
	}
	asked := &route.Replay{UID: "r", EndpointUID: uid}
	first, _ := begin(t, loaded("a").options(store), asked)
	second, _ := begin(t, loaded("a").options(store), asked)
	wait.Until(t, "one replay ends", func() bool {
		return !only(t, first).FinishedAt.IsZero() || !only(t, second).FinishedAt.IsZero()
	})
	if got := len(due(t, store, "a")); got != events {
		t.Errorf("%d events are due, want %d", got, events)
	}
}
