package queuetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
)

var historyTests = []namedTest{
	{"the latest delivered events are kept", testHistoryTrimmed},
	{"a lowered limit trims with the next delivery", testHistoryLowered},
	{"dead events are not trimmed", testDeadNotTrimmed},
}

var depthTests = []namedTest{
	{"an unknown queue is empty", testDepthUnknown},
	{"depth tells next due and oldest", testDepth},
	{"depth tells the oldest of this target", testDepthOtherTarget},
	{"several queues are told in their order", testDepthOrder},
}

func testHistoryTrimmed(t *testing.T, h *harness) {
	for i := range 5 {
		admission := h.admission(id(fmt.Sprint(i)))
		admission.HistoryLimit = 2
		h.finish(t, admission)
		h.clock.Advance(time.Second)
	}
	h.wantList(t, queue.Filter{}, id("4"), id("3"))
	for i := range 5 {
		_, err := h.store.Get(t.Context(), h.uid, id(fmt.Sprint(i)))
		if kept := err == nil; kept != (i >= 3) || !kept && !errors.Is(err, queue.ErrNotFound) {
			t.Errorf("Get of event %d returned %v", i, err)
		}
		h.refuse(t, h.admission(id(fmt.Sprint(i))), id(fmt.Sprint(i)))
	}
}

func testHistoryLowered(t *testing.T, h *harness) {
	for i := range 5 {
		h.finish(t, h.admission(id(fmt.Sprint(i))))
		h.clock.Advance(time.Second)
	}
	last := h.admission(id("9"))
	last.HistoryLimit = 0
	h.finish(t, last)
	h.wantList(t, queue.Filter{})
}

func testDeadNotTrimmed(t *testing.T, h *harness) {
	for i := range 5 {
		admission := h.admission(id(fmt.Sprint(i)))
		admission.HistoryLimit = 1
		h.bury(t, admission)
		h.clock.Advance(time.Second)
	}
	h.wantList(t, queue.Filter{}, id("4"), id("3"), id("2"), id("1"), id("0"))
}

func testDepthUnknown(t *testing.T, h *harness) {
	if got := h.depth(t, "builder"); got != (queue.Depth{}) {
		t.Errorf("depth is %+v, want all zero", got)
	}
	if depths, err := h.store.Depths(t.Context(), nil); err != nil || len(depths) != 0 {
		t.Errorf("Depths of nothing returned %v and %v", depths, err)
	}
}

func testDepth(t *testing.T, h *harness) {
	start := h.clock.Now()
	h.admit(t, h.admission(id("a")))
	h.clock.Advance(time.Second)
	h.admit(t, h.admission(id("b")))
	h.wantDepth(t, queue.Depth{Pending: 2, NextDue: start, Oldest: start})

	first := h.claim(t, "builder")
	h.wantDepth(t, queue.Depth{Pending: 2, NextDue: h.clock.Now().Add(lease), Oldest: start})

	h.settle(t, first[0].Lease, retry(h.clock, time.Hour))
	h.wantDepth(t, queue.Depth{Pending: 2, NextDue: h.clock.Now().Add(lease), Oldest: start})

	h.settle(t, first[1].Lease, done(h.clock))
	h.wantDepth(t, queue.Depth{Pending: 1, NextDue: h.clock.Now().Add(time.Hour), Oldest: start})
}

func (h *harness) wantDepth(t *testing.T, want queue.Depth) {
	t.Helper()
	if got := h.depth(t, "builder"); !got.NextDue.Equal(want.NextDue) || !got.Oldest.Equal(want.Oldest) ||
		got.Pending != want.Pending || got.Dead != want.Dead {
		t.Errorf("depth is %+v, want %+v", got, want)
	}
}

// testDepthOtherTarget has more events pending elsewhere than a store looks through.
func testDepthOtherTarget(t *testing.T, h *harness) {
	for range 200 {
		h.admit(t, h.admission(queue.NewID(), "broken"))
	}
	h.clock.Advance(time.Minute)
	want := h.clock.Now()
	h.admit(t, h.admission(id("a"), "broken", "builder"))
	h.clock.Advance(time.Minute)
	h.admit(t, h.admission(id("b"), "builder"))
	h.wantDepth(t, queue.Depth{Pending: 2, NextDue: want, Oldest: want})
}

func testDepthOrder(t *testing.T, h *harness) {
	h.admit(t, h.admission(id("a"), "builder", "auditor"))
	h.admit(t, h.admission(id("b"), "auditor"))
	depths, err := h.store.Depths(t.Context(),
		[]queue.ID{h.queue("auditor"), h.queue("nobody"), h.queue("builder")})
	if err != nil {
		t.Fatalf("Depths: %v", err)
	}
	for i, want := range []int64{2, 0, 1} {
		if depths[i].Pending != want {
			t.Errorf("queue %d has %d pending, want %d", i, depths[i].Pending, want)
		}
	}
}
