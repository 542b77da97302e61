package server_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/queue/redistest"
	"github.com/postern-dev/postern/receiver/route/routetest"
	"github.com/postern-dev/postern/test/wait"
)

// tally counts what a target gets, by the id that the provider gave.
type tally struct {
	mu    sync.Mutex
	times map[string]int
}

func (c *tally) answer(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.times == nil {
		c.times = map[string]int{}
	}
	c.times[r.Header.Get("X-GitHub-Delivery")]++
	w.WriteHeader(http.StatusOK)
}

// wantOnce waits until every id has come, and expects it once.
func (c *tally) wantOnce(t *testing.T, ids []string) {
	t.Helper()
	wait.Until(t, fmt.Sprintf("all %d events are delivered", len(ids)), func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return len(c.times) >= len(ids)
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range ids {
		if c.times[id] != 1 {
			t.Errorf("event %s was delivered %d times", id, c.times[id])
		}
	}
}

// settled waits until no event is pending any more.
func settled(t *testing.T, store *queue.Redis) {
	t.Helper()
	wait.Until(t, "nothing is pending", func() bool {
		depths, err := store.Depths(t.Context(), []queue.ID{{EndpointUID: "uid-hook", Target: "builder"}})
		return err == nil && depths[0].Pending == 0
	})
}

// TestReplicasDeliverOnce sends copies of each event to different replicas at once.
func TestReplicasDeliverOnce(t *testing.T) {
	t.Parallel()
	counted := &tally{}
	builder := newTarget(t, counted.answer)
	store := redistest.Start(t)
	var replicas []*world
	for range 3 {
		w := start(t, builder.URL, on(connect(t, store)))
		w.load(t, routetest.GitHub("hook"))
		replicas = append(replicas, w)
	}
	var ids []string
	var senders sync.WaitGroup
	var mu sync.Mutex
	accepted := map[string]int{}
	for i := range 100 {
		id := fmt.Sprint("event-", i)
		ids = append(ids, id)
		for copied := range 6 {
			senders.Go(func() {
				got := replicas[copied%3].push(t, id)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case got.status != 200:
					t.Errorf("answer %d %s", got.status, got.body)
				case strings.Contains(got.body, "accepted"):
					accepted[id]++
				}
			})
		}
	}
	senders.Wait()
	for _, id := range ids {
		if accepted[id] != 1 {
			t.Errorf("event %s was accepted %d times", id, accepted[id])
		}
	}
	counted.wantOnce(t, ids)
	settled(t, connect(t, store))
	counted.wantOnce(t, ids)
}

// service routes to replicas as a Service does: to those that are in it.
type service struct {
	mu       sync.Mutex
	replicas []*replica
}

// replica is a receiver whose shutdown delay the test ends.
type replica struct {
	*world
	letGo   context.CancelFunc
	sending sync.WaitGroup
}

func (s *service) add(r *replica) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replicas = append(s.replicas, r)
}

// remove returns when no request is on its way to the replica any more.
func (s *service) remove(r *replica) {
	s.mu.Lock()
	s.replicas = slices.DeleteFunc(s.replicas, func(other *replica) bool { return other == r })
	s.mu.Unlock()
	r.sending.Wait()
}

func (s *service) push(t *testing.T, id string) reply {
	s.mu.Lock()
	r := s.replicas[rand.IntN(len(s.replicas))]
	r.sending.Add(1)
	s.mu.Unlock()
	defer r.sending.Done()
	return r.push(t, id)
}

// TestRollingRestart replaces every replica while events come: none is refused,
// lost, or delivered twice.
func TestRollingRestart(t *testing.T) {
	t.Parallel()
	counted := &tally{}
	builder := newTarget(t, counted.answer)
	store := redistest.Start(t)
	inService := &service{}
	fresh := func() *replica {
		serveOn, letGo := context.WithCancel(t.Context())
		r := &replica{letGo: letGo, world: start(t, builder.URL, on(connect(t, store)), delayedBy(serveOn))}
		r.load(t, routetest.GitHub("hook"))
		wait.Until(t, "it is ready", func() bool { return r.ask(t, "GET", "/readyz", "").status == 200 })
		inService.add(r)
		return r
	}
	old := []*replica{fresh(), fresh()}
	var (
		senders sync.WaitGroup
		mu      sync.Mutex
		ids     []string
		stop    = make(chan struct{})
	)
	for sender := range 4 {
		senders.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				id := fmt.Sprintf("event-%d-%d", sender, i)
				if got := inService.push(t, id); got.status != 200 {
					t.Errorf("event %s was refused: %d %s", id, got.status, got.body)
					return
				}
				mu.Lock()
				ids = append(ids, id)
				mu.Unlock()
			}
		})
	}
	for _, r := range old {
		fresh()
		r.stop()
		wait.Until(t, "it is not ready", func() bool { return r.ask(t, "GET", "/readyz", "").status == 503 })
		inService.remove(r)
		r.letGo()
		r.stopped(t)
	}
	close(stop)
	senders.Wait()
	counted.wantOnce(t, ids)
	settled(t, connect(t, store))
	counted.wantOnce(t, ids)
	t.Logf("%d events", len(ids))
}

// TestReplicaTakesOverFromOneThatIsGone: without its connection to the store, a
// replica is to the others as if it had been killed.
func TestReplicaTakesOverFromOneThatIsGone(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	never := make(chan struct{})
	t.Cleanup(func() { close(never) })
	stuck := newTarget(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-never:
		}
	})
	doomedStore := connect(t, server)
	doomed := start(t, stuck.URL, on(doomedStore), grace(time.Second))
	doomed.load(t, routetest.GitHub("hook"))
	builder := newTarget(t, nil)
	survivor := start(t, builder.URL, on(connect(t, server)))
	survivor.load(t, routetest.GitHub("hook"))

	if got := doomed.push(t, "1"); got.status != 200 {
		t.Fatalf("answer %d %s", got.status, got.body)
	}
	stuck.next(t)
	began := time.Now()
	doomedStore.Close()
	doomed.stop()
	if got := builder.next(t); got.header.Get("X-GitHub-Delivery") != "1" || string(got.body) != string(payload) {
		t.Errorf("the survivor delivered %v %q", got.header, got.body)
	}
	t.Logf("taken over after %s", time.Since(began).Round(time.Second))
	settled(t, connect(t, server))
	builder.wantQuiet(t)
}
