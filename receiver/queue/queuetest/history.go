package queuetest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
)

var historyTests = []namedTest{
	{"the latest delivered events are kept", testHistoryTrimmed},
	{"a lowered limit trims with the next delivery", testHistoryLowered},
	{"dead events are not trimmed", testDeadNotTrimmed},
	{"the oldest bodies are given up first", testBodiesTrimmed},
	{"events that are not delivered keep their bodies", testBodiesKept},
}

var depthTests = []namedTest{
	{"an unknown queue is empty", testDepthUnknown},
	{"depth tells next due and oldest", testDepth},
	{"depth tells the oldest of this target", testDepthOtherTarget},
	{"depth tells the oldest of a long queue", testDepthLong},
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

func testBodiesTrimmed(t *testing.T, h *harness) {
	for i := range 4 {
		admission := h.admission(id(fmt.Sprint(i)))
		admission.Event.Body = []byte(strings.Repeat("x", 1000))
		h.finish(t, admission)
		h.clock.Advance(time.Second)
	}
	for range 2 { // the second time there is nothing to do
		if kept, err := h.store.TrimBodies(t.Context(), h.uid, 2500); err != nil || kept != 2000 {
			t.Errorf("TrimBodies returned %d and %v, want 2000", kept, err)
		}
	}
	h.wantList(t, queue.Filter{}, id("3"), id("2"), id("1"), id("0"))
	for i := range 4 {
		record, gone := h.get(t, id(fmt.Sprint(i))), i < 2
		if record.BodyGone != gone || (len(record.Event.Body) == 0) != gone || record.BodyBytes != 1000 {
			t.Errorf("event %d: gone %v, %d bytes of %d", i, record.BodyGone, len(record.Event.Body), record.BodyBytes)
		}
		if record.Event.Header.Get("X-Github-Event") != "push" || len(record.Targets[0].Log) != 1 {
			t.Errorf("event %d has %+v and %+v", i, record.Event.Header, record.Targets)
		}
		h.refuse(t, h.admission(id(fmt.Sprint(i))), id(fmt.Sprint(i)))
		due, err := h.store.Replay(t.Context(), h.uid, id(fmt.Sprint(i)), nil)
		if errors.Is(err, queue.ErrNotFound) != gone || (due == 0) != gone {
			t.Errorf("Replay of event %d returned %d and %v", i, due, err)
		}
	}
	if got := h.claim(t, "builder"); len(got) != 2 {
		t.Errorf("%d events are due, want those with a body", len(got))
	}
}

func testBodiesKept(t *testing.T, h *harness) {
	h.bury(t, h.admission(id("a")))
	h.admit(t, h.admission(id("b")))
	if kept, err := h.store.TrimBodies(t.Context(), h.uid, 0); err != nil || kept != 0 {
		t.Errorf("TrimBodies returned %d and %v, want 0", kept, err)
	}
	for _, event := range []string{id("a"), id("b")} {
		if record := h.get(t, event); record.BodyGone || len(record.Event.Body) == 0 {
			t.Errorf("event %s lost its body", event)
		}
	}
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

// testDepthLong has more events than a store looks at together, here and elsewhere.
func testDepthLong(t *testing.T, h *harness) {
	for range 300 {
		h.admit(t, h.admission(queue.NewID(), "broken"))
	}
	h.clock.Advance(time.Minute)
	want := h.clock.Now()
	for range 300 {
		h.admit(t, h.admission(queue.NewID(), "builder"))
		h.clock.Advance(time.Millisecond)
	}
	h.wantDepth(t, queue.Depth{Pending: 300, NextDue: want, Oldest: want})
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
