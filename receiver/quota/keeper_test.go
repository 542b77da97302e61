package quota_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postern-dev/postern/receiver/event"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/quota"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/route/routetest"
)

const limit = 100 << 10

// world is a keeper that runs, in a bubble of time, beside a store in memory.
type world struct {
	*quota.Keeper
	store  *queue.Memory
	events int

	mu     sync.Mutex
	failed error
	told   map[string]int64
}

func (w *world) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failed = err
}

// stored is what the keeper told last of a namespace.
func (w *world) stored(namespace string) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.told[namespace]
}

// GiveWay implements [queue.Sizer].
func (w *world) GiveWay(ctx context.Context, uids []string, want, must int64) (int64, error) {
	return w.store.GiveWay(ctx, uids, want, must)
}

// Sizes implements [queue.Sizer].
func (w *world) Sizes(ctx context.Context, uids []string) ([]queue.Usage, error) {
	w.mu.Lock()
	err := w.failed
	w.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return w.store.Sizes(ctx, uids)
}

// in runs a test with the endpoints ci/a, ci/b and shop/c.
func in(t *testing.T, maxBytes int64, test func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &world{store: queue.NewMemory(queue.MemoryOptions{}), told: map[string]int64{}}
		w.Keeper = quota.NewKeeper(quota.Options{
			Store: w, MaxBytes: maxBytes, Measured: func(namespace string, bytes int64) {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.told[namespace] = bytes
			},
		})
		w.SetRoutes(routes())
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			w.Run(ctx)
		}()
		test(t, w)
		cancel()
		<-ended
	})
}

func routes() []*route.Endpoint {
	elsewhere := func(e *route.Endpoint) { e.Namespace = "shop" }
	return []*route.Endpoint{routetest.GitHub("a"), routetest.GitHub("b"), routetest.GitHub("c", elsewhere)}
}

// admit stores an event whatever the keeper says.
func (w *world) admit(t *testing.T, uid string, size int) {
	t.Helper()
	w.events++
	ev := &event.Event{ID: fmt.Sprint(w.events), EndpointUID: uid, Body: make([]byte, size), ReceivedAt: time.Now()}
	if _, err := w.store.Admit(t.Context(), &queue.Admission{
		Event: ev, Targets: []string{"builder"}, HistoryLimit: 100,
	}); err != nil {
		t.Fatal(err)
	}
	w.Stored(uid, ev.Size())
}

// pass lets the bubble's time go by.
func pass(d time.Duration) { <-time.After(d) }

func (w *world) wantFull(t *testing.T, namespace string, want bool) {
	t.Helper()
	synctest.Wait()
	if got := w.Full(t.Context(), namespace); got != want {
		t.Errorf("at %v: full is %v, want %v", time.Now().Format(time.TimeOnly), got, want)
	}
}

func TestEndpointsOfANamespaceShareItsQuota(t *testing.T) {
	in(t, limit, func(t *testing.T, w *world) {
		w.admit(t, "uid-a", limit/2)
		w.wantFull(t, "ci", false)
		w.admit(t, "uid-b", limit/2)
		w.wantFull(t, "ci", true)
		w.wantFull(t, "shop", false)
		w.wantFull(t, "unknown", false)
		pass(time.Minute) // measured many times over
		w.wantFull(t, "ci", true)
		if w.stored("ci") < limit || w.stored("shop") != 0 {
			t.Errorf("told %d", w.stored("ci"))
		}
	})
}

// TestDeliveredEventsDoNotCount: what was added up is replaced by what is there
// as soon as the sum comes near the limit, before anybody is refused.
func TestDeliveredEventsDoNotCount(t *testing.T) {
	in(t, limit, func(t *testing.T, w *world) {
		for range 100 {
			w.admit(t, "uid-a", limit/8)
			if err := w.store.Purge(t.Context(), "uid-a"); err != nil {
				t.Fatal(err)
			}
			pass(50 * time.Millisecond)
			w.wantFull(t, "ci", false)
		}
	})
}

// TestHistoryNeverRefuses: events that were delivered give way, those of the
// namespace alone, and those that must be kept do not.
func TestHistoryNeverRefuses(t *testing.T) {
	in(t, limit, func(t *testing.T, w *world) {
		w.deliver(t, "uid-c", limit/2)
		for range 100 {
			w.deliver(t, "uid-a", limit/4)
			w.wantFull(t, "ci", false)
		}
		pass(time.Minute)
		if w.stored("ci") == 0 || w.stored("ci") > limit || w.stored("shop") < limit/2 {
			t.Errorf("%d and %d bytes are kept", w.stored("ci"), w.stored("shop"))
		}
		w.admit(t, "uid-b", limit)
		w.wantFull(t, "ci", true)
		w.wantFull(t, "shop", false)
	})
}

// deliver stores an event and delivers it.
func (w *world) deliver(t *testing.T, uid string, size int) {
	t.Helper()
	w.admit(t, uid, size)
	id := queue.ID{EndpointUID: uid, Target: "builder"}
	claimed, err := w.store.Claim(t.Context(), id, 1, time.Minute)
	if err != nil || len(claimed) != 1 {
		t.Fatalf("%d events claimed, %v", len(claimed), err)
	}
	if err := w.store.Settle(t.Context(), claimed[0].Lease, queue.Settlement{Outcome: queue.Done}); err != nil {
		t.Fatal(err)
	}
}

// TestOthersCountToo: another replica, or the process before this one, may have
// stored something.
func TestOthersCountToo(t *testing.T) {
	in(t, limit, func(t *testing.T, w *world) {
		ev := &event.Event{ID: "x", EndpointUID: "uid-a", Body: make([]byte, limit)}
		if _, err := w.store.Admit(t.Context(), &queue.Admission{Event: ev, Targets: []string{"builder"}}); err != nil {
			t.Fatal(err)
		}
		pass(31 * time.Second)
		w.wantFull(t, "ci", true)
	})
}

func TestRemovedEndpointsDoNotCount(t *testing.T) {
	in(t, limit, func(t *testing.T, w *world) {
		w.admit(t, "uid-a", limit)
		w.wantFull(t, "ci", true)
		w.SetRoutes(routes()[1:])
		w.wantFull(t, "ci", false)
		w.Stored("uid-a", limit) // one that was under way
		w.SetRoutes(nil)
		w.wantFull(t, "ci", false)
		if w.stored("ci") != 0 {
			t.Errorf("told %d", w.stored("ci"))
		}
	})
}

// TestBlindKeeperRefusesNobody: without measurements sums only grow.
func TestBlindKeeperRefusesNobody(t *testing.T) {
	in(t, limit, func(t *testing.T, w *world) {
		w.fail(errors.New("away"))
		w.admit(t, "uid-a", 2*limit)
		w.wantFull(t, "ci", false)
		w.fail(nil)
		pass(2 * time.Second)
		w.wantFull(t, "ci", true)
	})
}

func TestNoLimitRefusesNobody(t *testing.T) {
	in(t, 0, func(t *testing.T, w *world) {
		w.admit(t, "uid-a", 2*limit)
		pass(time.Minute)
		w.wantFull(t, "ci", false)
		if w.stored("ci") < 2*limit {
			t.Errorf("told %d: what a namespace has is told without a limit too", w.stored("ci"))
		}
	})
}

// TestShortenedWindows: what gave way is told until all of the window is known
// again.
func TestShortenedWindows(t *testing.T) {
	in(t, 0, func(t *testing.T, w *world) {
		forget := func(uid string, size int) {
			w.deliverMarked(t, uid, size)
			pass(15 * time.Second)
		}
		if got := w.Shortened(time.Now()); got.Endpoints != 0 || got.Shortest != nil {
			t.Errorf("at first %+v", got)
		}
		forget("uid-a", 1)
		pass(20 * time.Minute)
		forget("uid-b", 1)
		if _, err := w.store.GiveWay(t.Context(), []string{"uid-a", "uid-b"}, 1<<30, 1<<30); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		got := w.Shortened(time.Now())
		if got.Endpoints != 2 || got.Shortest == nil || got.Shortest.UID != "uid-b" || got.Window > 2*time.Minute {
			t.Errorf("after both gave way %+v", got)
		}
		pass(40 * time.Minute)
		if got := w.Shortened(time.Now()); got.Endpoints != 1 || got.Window < 40*time.Minute {
			t.Errorf("after the window of the first %+v", got)
		}
		pass(20 * time.Minute)
		if got := w.Shortened(time.Now()); got.Endpoints != 0 {
			t.Errorf("after all windows %+v", got)
		}
	})
}

// deliverMarked delivers an event of which the mark is left alone.
func (w *world) deliverMarked(t *testing.T, uid string, size int) {
	t.Helper()
	w.events++
	ev := &event.Event{ID: fmt.Sprint(w.events), EndpointUID: uid, Body: make([]byte, size), ReceivedAt: time.Now()}
	if _, err := w.store.Admit(t.Context(), &queue.Admission{
		Event: ev, Targets: []string{"builder"}, RememberFor: time.Hour,
	}); err != nil {
		t.Fatal(err)
	}
	claimed, err := w.store.Claim(t.Context(), queue.ID{EndpointUID: uid, Target: "builder"}, 1, time.Minute)
	if err != nil || len(claimed) != 1 {
		t.Fatalf("%d events claimed, %v", len(claimed), err)
	}
	if err := w.store.Settle(t.Context(), claimed[0].Lease, queue.Settlement{Outcome: queue.Done}); err != nil {
		t.Fatal(err)
	}
}
