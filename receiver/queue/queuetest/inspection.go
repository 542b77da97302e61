package queuetest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
)

var listTests = []namedTest{
	{"listings filter by status", testListStatus},
	{"listings filter by type, target and time", testListFilters},
	{"pages continue where the last one ended", testListPages},
	{"a listing can come to nothing", testListNothing},
	{"an event is shown whole", testGet},
}

var replayTests = []namedTest{
	{"a delivered event can be replayed", testReplayDelivered},
	{"a dead event can be replayed at one target", testReplayDead},
	{"a replay does not disturb a delivery under way", testReplayLeased},
	{"a replay makes a delayed event due now", testReplayDelayed},
	{"a replay of what is not kept is an error", testReplayUnknown},
	{"all dead events can be replayed by filter", testReplayAllDead},
}

var purgeTests = []namedTest{
	{"a purge leaves nothing of one endpoint and all of the others", testPurge},
}

func testListStatus(t *testing.T, h *harness) {
	h.admit(t, h.admission(id("a")))
	h.clock.Advance(time.Second)
	h.finish(t, h.admission(id("b")))
	h.clock.Advance(time.Second)
	h.bury(t, h.admission(id("c")))
	h.clock.Advance(time.Second)
	mixed := h.admission(id("d"), "builder", "auditor")
	mixed.LeaseFor = lease
	h.settle(t, h.admit(t, mixed).Leases[0], queue.Settlement{Outcome: queue.Dead, Reason: "gone"})

	h.wantList(t, queue.Filter{}, id("d"), id("c"), id("b"), id("a"))
	h.wantList(t, queue.Filter{Status: queue.StatusPending}, id("d"), id("a"))
	h.wantList(t, queue.Filter{Status: queue.StatusDead}, id("d"), id("c"))
	h.wantList(t, queue.Filter{Status: queue.StatusDelivered}, id("b"))
}

func testListFilters(t *testing.T, h *harness) {
	h.finish(t, h.admission(id("a")))
	h.clock.Advance(time.Second)
	opened := h.admission(id("b"), "auditor")
	opened.Event.Type = "pull_request.opened"
	h.finish(t, opened)

	h.wantList(t, queue.Filter{Type: "push"}, id("a"))
	h.wantList(t, queue.Filter{Target: "auditor"}, id("b"))
	h.wantList(t, queue.Filter{Since: h.clock.Now()}, id("b"))
	h.wantList(t, queue.Filter{Since: h.clock.Now().Add(-time.Second)}, id("b"), id("a"))
	h.wantList(t, queue.Filter{Type: "push", Target: "auditor"})
}

// testListPages has events that share a millisecond, more than a store reads at once.
func testListPages(t *testing.T, h *harness) {
	const events = 250
	for i := range events {
		h.admit(t, h.admission(fmt.Sprintf("%032x", i)))
	}
	var seen []string
	filter := queue.Filter{Limit: 40}
	for pages := 0; ; pages++ {
		page, err := h.store.List(t.Context(), h.uid, filter)
		if err != nil || pages > events {
			t.Fatalf("page %d: %v", pages, err)
		}
		for _, summary := range page.Events {
			seen = append(seen, summary.ID)
		}
		if filter.Cursor = page.Next; page.Next == "" {
			break
		}
	}
	if len(seen) != events {
		t.Errorf("the pages have %d events, want %d", len(seen), events)
	}
	if !slices.IsSortedFunc(seen, func(a, b string) int { return strings.Compare(b, a) }) {
		t.Error("the pages are not in order")
	}
}

func testListNothing(t *testing.T, h *harness) {
	h.wantList(t, queue.Filter{})
	if _, err := h.store.List(t.Context(), h.uid, queue.Filter{Cursor: "nonsense"}); err == nil {
		t.Error("a cursor that no listing returned is accepted")
	}
	if _, err := h.store.Get(t.Context(), h.uid, id("a")); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("Get of an unknown event returned %v", err)
	}
}

func testGet(t *testing.T, h *harness) {
	want := Event(h.uid, id("a"), h.clock.Now())
	h.clock.Advance(time.Second)
	admission := h.admission(id("a"))
	admission.Event = want
	h.finish(t, admission)
	record := h.get(t, id("a"))
	if !reflect.DeepEqual(record.Event, want) {
		t.Errorf("Get returned\n%+v, want\n%+v", record.Event, want)
	}
	summary := record.Summary
	if !summary.ReceivedAt.Equal(want.ReceivedAt) || !summary.ChangedAt.Equal(h.clock.Now()) {
		t.Errorf("received %s and changed %s", summary.ReceivedAt, summary.ChangedAt)
	}
	if summary.Type != "push" || summary.Source != "github" || summary.DeliveryID != want.DeliveryID ||
		!summary.Verified || summary.BodyBytes != int64(len(want.Body)) {
		t.Errorf("the summary is %+v", summary)
	}
	target := summary.Targets[0]
	if target.Target != "builder" || target.Attempts != 1 || len(target.Log) != 1 || target.Log[0].Status != 200 {
		t.Errorf("the target is %+v", target)
	}
}

func testReplayDelivered(t *testing.T, h *harness) {
	h.finish(t, h.admission(id("a")))
	h.clock.Advance(time.Hour)
	h.replay(t, id("a"), 1)
	h.wantList(t, queue.Filter{Status: queue.StatusDelivered})
	delivery := h.claimOne(t, "builder")
	if delivery.Event.ID != id("a") || delivery.Lease.Attempts != 0 {
		t.Errorf("the replay is claimed as %+v", delivery.Lease)
	}
	if replayed := delivery.Lease.Replayed; !replayed.Equal(h.clock.Now()) {
		t.Errorf("the replay began at %v, want now, %v", replayed, h.clock.Now())
	}
	h.settle(t, delivery.Lease, done(h.clock))
	h.wantList(t, queue.Filter{Status: queue.StatusDelivered}, id("a"))
	if log := h.get(t, id("a")).Targets[0].Log; len(log) != 2 {
		t.Errorf("%d attempts are logged, want those of both runs", len(log))
	}
}

func testReplayDead(t *testing.T, h *harness) {
	h.bury(t, h.admission(id("a"), "builder", "auditor"))
	h.replay(t, id("a"), 1, "builder")
	h.claimNone(t, "auditor")
	h.settle(t, h.claimOne(t, "builder").Lease, done(h.clock))
	if depth := h.depth(t, "builder"); depth.Dead != 0 {
		t.Errorf("the replayed event still counts as dead: %+v", depth)
	}
	if depth := h.depth(t, "auditor"); depth.Dead != 1 {
		t.Errorf("the other target's dead event is gone: %+v", depth)
	}
	h.replay(t, id("a"), 1, "auditor")
	h.settle(t, h.claimOne(t, "auditor").Lease, done(h.clock))
	h.wantList(t, queue.Filter{Status: queue.StatusDead})
	h.wantList(t, queue.Filter{Status: queue.StatusDelivered}, id("a"))
}

func testReplayLeased(t *testing.T, h *harness) {
	h.admit(t, h.admission(id("a")))
	held := h.claimOne(t, "builder").Lease
	h.replay(t, id("a"), 0)
	h.settle(t, held, done(h.clock))
	h.claimNone(t, "builder")
}

func testReplayDelayed(t *testing.T, h *harness) {
	h.admit(t, h.admission(id("a")))
	h.settle(t, h.claimOne(t, "builder").Lease, retry(h.clock, time.Hour))
	h.replay(t, id("a"), 1)
	if delivery := h.claimOne(t, "builder"); delivery.Lease.Replayed.IsZero() {
		t.Errorf("the lease is %+v, want a replay", delivery.Lease)
	}
}

func testReplayUnknown(t *testing.T, h *harness) {
	h.finish(t, h.admission(id("a")))
	trimmed := h.admission(id("b"))
	trimmed.HistoryLimit = 0
	h.finish(t, trimmed)
	for _, test := range []struct {
		id      string
		targets []string
	}{
		{id: id("f")},
		{id: id("b")},
		{id: id("a"), targets: []string{"builder", "nobody"}},
	} {
		if _, err := h.store.Replay(t.Context(), h.uid, test.id, test.targets); !errors.Is(err, queue.ErrNotFound) {
			t.Errorf("Replay(%s, %v) returned %v, want ErrNotFound", test.id, test.targets, err)
		}
	}
	h.claimNone(t, "builder")
}

func testReplayAllDead(t *testing.T, h *harness) {
	for _, digit := range []string{"a", "b", "c"} {
		h.bury(t, h.admission(id(digit), "builder", "auditor"))
		h.clock.Advance(time.Second)
	}
	h.finish(t, h.admission(id("d"), "builder", "auditor"))
	other := h.admission(id("e"), "builder")
	other.Event.Type = "ping"
	h.bury(t, other)

	filter := queue.Filter{Type: "push", Target: "builder", Since: h.clock.Now().Add(-2 * time.Second)}
	replayed, err := h.store.ReplayDead(t.Context(), h.uid, filter)
	if err != nil || replayed != 2 {
		t.Fatalf("ReplayDead returned %d and %v, want the two latest", replayed, err)
	}
	if got := len(h.claim(t, "builder")); got != 2 {
		t.Errorf("%d events are due at the target, want 2", got)
	}
	h.claimNone(t, "auditor")
	replayed, err = h.store.ReplayDead(t.Context(), h.uid, queue.Filter{Limit: 1})
	if err != nil || replayed != 1 {
		t.Errorf("ReplayDead of one returned %d and %v", replayed, err)
	}
}

func (h *harness) replay(t *testing.T, id string, want int, targets ...string) {
	t.Helper()
	due, err := h.store.Replay(t.Context(), h.uid, id, targets)
	if err != nil || due != want {
		t.Fatalf("Replay(%s) returned %d and %v, want %d", id, due, err, want)
	}
}

func testPurge(t *testing.T, h *harness) {
	other := *h
	other.uid += "-other"
	other.admit(t, other.admission(id("a")))
	admission := h.admission(id("a"))
	admission.LeaseFor = lease
	held := h.admit(t, admission).Leases[0]
	h.finish(t, h.admission(id("b")))
	h.bury(t, h.admission(id("c"), "auditor"))
	h.wantEndpoints(t, true)
	targets, err := h.store.Targets(t.Context(), h.uid)
	if err != nil || !slices.Equal(targets, []string{"auditor", "builder"}) {
		t.Errorf("Targets returned %v and %v", targets, err)
	}

	if err := h.store.Purge(t.Context(), h.uid); err != nil {
		t.Fatalf("Purge: %v", err)
	}
	h.wantEndpoints(t, false)
	h.wantList(t, queue.Filter{})
	if err := h.store.Settle(t.Context(), held, done(h.clock)); !errors.Is(err, queue.ErrLeaseLost) {
		t.Errorf("a lease survived the purge: %v", err)
	}
	for _, target := range targets {
		if depth := h.depth(t, target); depth != (queue.Depth{}) {
			t.Errorf("after the purge %s has %+v", target, depth)
		}
	}
	h.admit(t, h.admission(id("a")))
	h.wantEndpoints(t, true)
	other.claimOne(t, "builder")
}

func (h *harness) wantEndpoints(t *testing.T, want bool) {
	t.Helper()
	endpoints, err := h.store.Endpoints(t.Context())
	if err != nil || slices.Contains(endpoints, h.uid) != want {
		t.Errorf("Endpoints returned %v and %v, want %t for %s", endpoints, err, want, h.uid)
	}
}
