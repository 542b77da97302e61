package queuetest

import (
	"errors"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
)

var discardTests = []namedTest{
	{"a dead letter can be discarded", testDiscard},
	{"discarding at one target leaves the others alone", testDiscardTarget},
	{"dead letters can be discarded by filter", testDiscardFilter},
	{"dead letters are given up by age", testExpireDead},
}

func (h *harness) discard(t *testing.T, id string, want int, targets ...string) {
	t.Helper()
	if got, err := h.store.Discard(t.Context(), h.uid, id, targets); err != nil || got != want {
		t.Errorf("Discard of %s returned %d and %v, want %d", id, got, err, want)
	}
}

func (h *harness) wantDead(t *testing.T, target string, want int64) {
	t.Helper()
	if depth := h.depth(t, target); depth.Dead != want || (want == 0) != depth.OldestDead.IsZero() {
		t.Errorf("%s has %+v, want %d dead letters", target, depth, want)
	}
}

func testDiscard(t *testing.T, h *harness) {
	h.bury(t, h.admission(id("a")))
	h.admit(t, h.admission(id("b")))
	h.discard(t, id("a"), 1)
	h.wantDead(t, "builder", 0)
	h.wantList(t, queue.Filter{}, id("b"))
	h.refuse(t, h.admission(id("a")), id("a"))
	if _, err := h.store.Discard(t.Context(), h.uid, id("a"), nil); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("discarding it again returned %v", err)
	}
	h.discard(t, id("b"), 0) // it is not dead
	if _, err := h.store.Discard(t.Context(), h.uid, id("b"), []string{"nobody"}); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("discarding at a target that it is not for returned %v", err)
	}
	h.settle(t, h.claimOne(t, "builder").Lease, done(h.clock))
}

func testDiscardTarget(t *testing.T, h *harness) {
	h.bury(t, h.admission(id("a"), "builder", "auditor"))
	h.discard(t, id("a"), 1, "builder")
	h.wantDead(t, "builder", 0)
	h.wantDead(t, "auditor", 1)
	if got := h.get(t, id("a")).Targets[0].Status; got != queue.StatusDiscarded {
		t.Errorf("the target is %s", got)
	}
	h.replay(t, id("a"), 1, "auditor")
	h.settle(t, h.claimOne(t, "auditor").Lease, done(h.clock))
	h.wantList(t, queue.Filter{}, id("a"))

	mixed := h.admission(id("b"), "builder", "auditor")
	mixed.LeaseFor = lease
	leases := h.admit(t, mixed).Leases
	h.settle(t, leases[0], queue.Settlement{Outcome: queue.Dead, Reason: "gone"})
	h.settle(t, leases[1], done(h.clock))
	h.clock.Advance(time.Second)
	h.discard(t, id("b"), 1)
	h.wantList(t, queue.Filter{Status: queue.StatusDelivered}, id("b"), id("a"))
}

func testDiscardFilter(t *testing.T, h *harness) {
	for _, digit := range []string{"a", "b", "c"} {
		admission := h.admission(id(digit), "builder", "auditor")
		if digit == "c" {
			admission.Event.Type = "issues.opened"
		}
		h.bury(t, admission)
	}
	discard := func(want int, filter queue.Filter) {
		t.Helper()
		if got, err := h.store.DiscardDead(t.Context(), h.uid, filter); err != nil || got != want {
			t.Errorf("DiscardDead(%+v) returned %d and %v, want %d", filter, got, err, want)
		}
	}
	discard(1, queue.Filter{Type: "issues.*"})
	discard(2, queue.Filter{Target: "builder"})
	h.wantDead(t, "builder", 0)
	h.wantDead(t, "auditor", 2)
	discard(1, queue.Filter{Limit: 1})
	discard(1, queue.Filter{})
	h.wantList(t, queue.Filter{})
}

func testExpireDead(t *testing.T, h *harness) {
	for _, digit := range []string{"a", "b"} {
		h.bury(t, h.admission(id(digit)))
		h.clock.Advance(time.Hour)
	}
	for _, want := range []int{1, 0} {
		if got, err := h.store.ExpireDead(t.Context(), h.queue("builder"), 2*time.Hour); err != nil || got != want {
			t.Errorf("ExpireDead returned %d and %v, want %d", got, err, want)
		}
	}
	h.wantList(t, queue.Filter{Status: queue.StatusDead}, id("b"))
}
