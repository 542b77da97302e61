package deliver_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/deliver"
	"github.com/postern-dev/postern/receiver/deliver/outbound"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/queue/queuetest"
	"github.com/postern-dev/postern/receiver/queue/redistest"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/test/wait"
)

// town is an engine on a real Redis with a street of real HTTP targets: every
// Service s of namespace ci answers under the path /s, and keeps what it got.
type town struct {
	*plant
	api authority
	mu  sync.Mutex
	got map[string][]*http.Request
	ids int
}

func newTown(t *testing.T, first *route.Endpoint) *town {
	t.Helper()
	redis := redistest.Start(t)
	store := queuetest.Connect(t, queue.Options{URL: redis.URL()})
	w := &town{got: map[string][]*http.Request{}}
	forward := map[string]*url.URL{}
	for _, service := range []string{"a", "b", "c"} {
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.got[service] = append(w.got[service], r)
		}))
		t.Cleanup(server.Close)
		address, err := url.Parse(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		forward["ci/"+service] = address
	}
	engine := deliver.New(deliver.Options{
		Worker: store, Keeper: store, Current: w.api.current, Network: outbound.Network{Forward: forward},
		RemovedGrace: 100 * time.Millisecond, GoneGrace: 200 * time.Millisecond, RescanInterval: 50 * time.Millisecond,
	})
	w.api.has(first)
	engine.SetRoutes(routes(first))
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	engine.Start(ctx)
	t.Cleanup(func() {
		cancel()
		engine.Wait()
	})
	w.plant = &plant{redis: redis, store: store, engine: engine, route: first}
	return w
}

// put makes this the route of the API server and of the engine. One that was
// there under another UID is deleted.
func (w *town) put(e *route.Endpoint) {
	w.api.has(e)
	if e.UID != w.route.UID {
		w.api.deleted(w.route.UID)
		w.engine.SetTombstones([]string{w.route.UID})
	}
	w.engine.SetRoutes(routes(e))
}

// send admits one event for the targets of a route and returns its id.
func (w *town) send(t *testing.T, e *route.Endpoint) string {
	t.Helper()
	w.ids++
	ev := w.event(w.ids, []byte("{}"))
	ev.EndpointUID = e.UID
	admission := &queue.Admission{Event: ev, Targets: names(e), HistoryLimit: 1000}
	if _, err := w.store.Admit(t.Context(), admission); err != nil {
		t.Fatal(err)
	}
	w.engine.Wake(queues(e)...)
	return ev.ID
}

// at returns what a Service got.
func (w *town) at(service string) []*http.Request {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.got[service])
}

// await polls until an event stands at a target as wanted: "delivered",
// "dead target_removed" or "purged".
func (w *town) await(t *testing.T, e *route.Endpoint, id, target, want string) {
	t.Helper()
	wait.For(t, "the fate of event "+id, func() error {
		got := "purged"
		if record, err := w.store.Get(t.Context(), e.UID, id); err == nil {
			for _, state := range record.Targets {
				if state.Target == target {
					got = string(state.Status)
					if state.Reason != "" {
						got += " " + state.Reason
					}
				}
			}
		}
		if got != want {
			return fmt.Errorf("it is %q at %s, want %q", got, target, want)
		}
		return nil
	})
}

// quiet says that Services got nothing.
func (w *town) quiet(t *testing.T, services ...string) {
	t.Helper()
	for _, service := range services {
		if got := len(w.at(service)); got != 0 {
			t.Errorf("Service %s got %d requests, want none", service, got)
		}
	}
}

func retarget(service string) func(*route.Endpoint) {
	return func(e *route.Endpoint) { e.Targets[0].Service = service }
}

func withoutSecret(e *route.Endpoint) {
	e.Unavailable = &route.Unavailable{Reason: "SecretNotFound"}
}

// TestEditsWithEventsQueued: what becomes of five events that wait when their
// endpoint is edited. The table is in docs/webhookendpoint.md.
func TestEditsWithEventsQueued(t *testing.T) {
	t.Parallel()
	base := endpoint("ci", "a", "b")
	for name, test := range map[string]struct {
		edit func(*route.Endpoint)
		// at and want say how the five end at target a, or another.
		target, want string
		// gets is the Service that gets them; those of silent get nothing at all.
		gets   string
		silent []string
	}{
		"resumed":                {func(*route.Endpoint) {}, "a", "delivered", "a", []string{"c"}},
		"target removed":         {func(e *route.Endpoint) { e.Targets = e.Targets[1:] }, "a", "dead target_removed", "", []string{"a"}},
		"target renamed":         {func(e *route.Endpoint) { e.Targets[0].Name = "new" }, "a", "dead target_removed", "", []string{"a"}},
		"target moved":           {retarget("c"), "a", "delivered", "c", []string{"a"}},
		"endpoint made anew":     {func(e *route.Endpoint) { e.UID = "anew" }, "a", "purged", "", []string{"a", "b", "c"}},
		"source without secret":  {withoutSecret, "a", "delivered", "a", nil},
		"filter no longer holds": {func(e *route.Endpoint) { e.Targets[0].EventTypes = []string{"never"} }, "a", "delivered", "a", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newTown(t, suspended(base))
			var ids []string
			for range 5 {
				ids = append(ids, w.send(t, base))
			}
			w.quiet(t, "a", "b", "c")
			w.put(changed(base, test.edit))
			for _, id := range ids {
				w.await(t, base, id, test.target, test.want)
			}
			if test.gets != "" && len(w.at(test.gets)) != len(ids) {
				t.Errorf("Service %s got %d requests, want %d", test.gets, len(w.at(test.gets)), len(ids))
			}
			w.quiet(t, test.silent...)
		})
	}
}

// TestConsentThatIsTakenBackAndGivenAgain: the events of the target are dead
// letters by then, and a replay brings them.
func TestConsentThatIsTakenBackAndGivenAgain(t *testing.T) {
	t.Parallel()
	granted := endpoint("ci", "a", "b")
	refused := changed(granted, func(e *route.Endpoint) { e.Targets = e.Targets[1:] })
	w := newTown(t, suspended(granted))
	id := w.send(t, granted)
	w.put(refused)
	w.await(t, granted, id, "a", "dead target_removed")
	w.await(t, granted, id, "b", "delivered")
	w.quiet(t, "a")
	w.put(granted)
	if _, err := w.store.Replay(t.Context(), granted.UID, id, []string{"a"}); err != nil {
		t.Fatal(err)
	}
	w.engine.Wake(queues(granted)...)
	w.await(t, granted, id, "a", "delivered")
	if got := w.at("a"); len(got) != 1 || got[0].Header.Get("Postern-Replay") != "true" {
		t.Errorf("Service a got %d requests, want the replay", len(got))
	}
	if got := len(w.at("b")); got != 1 {
		t.Errorf("Service b got %d requests, want 1", got)
	}
}

// TestTargetWithoutItsSigningSecretWaits: unsigned, the target would refuse or,
// worse, believe it. Afterwards the key of that moment signs.
func TestTargetWithoutItsSigningSecretWaits(t *testing.T) {
	t.Parallel()
	signed := changed(endpoint("ci", "a", "b"), func(e *route.Endpoint) { e.Targets[0].SigningKey = []byte("old") })
	missing := changed(signed, func(e *route.Endpoint) {
		e.Targets[0].SigningKey = nil
		e.Targets[0].Unavailable = &route.Unavailable{Reason: route.ReasonSigningSecretUnavailable}
	})
	w := newTown(t, suspended(signed))
	id := w.send(t, signed)
	w.engine.SetRoutes(routes(missing))
	w.await(t, signed, id, "b", "delivered")
	w.await(t, signed, id, "a", "pending")
	w.quiet(t, "a")
	fresh := changed(signed, func(e *route.Endpoint) { e.Targets[0].SigningKey = []byte("fresh") })
	w.engine.SetRoutes(routes(fresh))
	w.await(t, signed, id, "a", "delivered")
	got := w.at("a")
	if len(got) != 1 || got[0].Header.Get("Webhook-Signature") == "" {
		t.Fatalf("Service a got %d requests, want one that is signed", len(got))
	}
}

// TestNothingGoesWhereTheTableDoesNotLead edits without pause while events
// flow: each request must lead to a Service that the table in force names, or
// the one before, which attempts under way belong to.
func TestNothingGoesWhereTheTableDoesNotLead(t *testing.T) {
	t.Parallel()
	base := endpoint("ci", "x")
	services := []string{"a", "b", "c"}
	w := newTown(t, changed(base, retarget("a")))
	var ids []string
	seen := map[string]int{}
	for round := range 60 {
		now := services[round%len(services)]
		next := services[(round+1)%len(services)]
		for range 5 {
			ids = append(ids, w.send(t, base))
		}
		w.engine.SetRoutes(routes(changed(base, retarget(next))))
		// What was sent to the Service before last ended before this table came.
		before := services[(round+2)%len(services)]
		w.await(t, base, ids[len(ids)-1], "x", "delivered")
		if round > 0 && len(w.at(before)) != seen[before] {
			t.Fatalf("round %d: Service %s got %d requests after it was left for %s and then %s",
				round, before, len(w.at(before))-seen[before], now, next)
		}
		for _, id := range ids[max(0, len(ids)-5):] {
			w.await(t, base, id, "x", "delivered")
		}
		for _, service := range services {
			seen[service] = len(w.at(service))
		}
	}
	total := 0
	for _, service := range services {
		total += len(w.at(service))
	}
	if total != len(ids) {
		t.Errorf("%d requests for %d events", total, len(ids))
	}
}
