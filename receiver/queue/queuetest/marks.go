package queuetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
)

var markTests = []namedTest{
	{"mark/is taken by one", testMarkIsTakenByOne},
	{"mark/of a hundred concurrent copies one is taken", testMarkConcurrent},
	{"mark/that is kept is known for its window", testMarkKept},
	{"mark/that is released can be taken", testMarkReleased},
	{"mark/is let go by its owner alone", testMarkOwner},
	{"mark/of who is gone can be taken after a while", testMarkAbandoned},
	{"mark/of a queued event is known, and the other way round", testMarkAndAdmission},
	{"mark/knows a body under another id", testMarkReplay},
	{"mark/is apart from others", testMarksAreApart},
}

const markHold = 20 * time.Second

func (h *harness) mark(id, owner string) queue.Mark {
	return queue.Mark{
		EndpointUID: h.uid, Target: "builder", EventID: id, Owner: owner,
		HoldFor: markHold, RememberFor: 24 * time.Hour,
	}
}

func (h *harness) takeMark(t *testing.T, mark queue.Mark, want queue.Standing, first string) {
	t.Helper()
	standing, known, err := h.store.TakeMark(t.Context(), mark)
	if err != nil {
		t.Fatalf("TakeMark: %v", err)
	}
	if standing != want || known != first {
		t.Errorf("TakeMark by %s returned %v of %q, want %v of %q", mark.Owner, standing, known, want, first)
	}
}

func (h *harness) keepMark(t *testing.T, mark queue.Mark) {
	t.Helper()
	if err := h.store.KeepMark(t.Context(), mark); err != nil {
		t.Fatalf("KeepMark: %v", err)
	}
}

func (h *harness) releaseMark(t *testing.T, mark queue.Mark) {
	t.Helper()
	if err := h.store.ReleaseMark(t.Context(), mark); err != nil {
		t.Fatalf("ReleaseMark: %v", err)
	}
}

func testMarkIsTakenByOne(t *testing.T, h *harness) {
	h.takeMark(t, h.mark(id("a"), "one"), queue.Taken, "")
	h.takeMark(t, h.mark(id("a"), "two"), queue.Held, "")
	h.wantList(t, queue.Filter{})
}

func testMarkConcurrent(t *testing.T, h *harness) {
	var group sync.WaitGroup
	var taken atomic.Int64
	for i := range 100 {
		group.Go(func() {
			standing, _, err := h.store.TakeMark(t.Context(), h.mark(id("a"), fmt.Sprint(i)))
			if err != nil {
				t.Errorf("TakeMark: %v", err)
			} else if standing == queue.Taken {
				taken.Add(1)
			}
		})
	}
	group.Wait()
	if taken.Load() != 1 {
		t.Errorf("%d copies have the mark, want 1", taken.Load())
	}
}

func testMarkKept(t *testing.T, h *harness) {
	mark := h.mark(id("a"), "one")
	h.takeMark(t, mark, queue.Taken, "")
	h.clock.Advance(time.Second)
	h.keepMark(t, mark)
	h.takeMark(t, h.mark(id("a"), "two"), queue.Known, id("a"))
	h.clock.Advance(24*time.Hour - time.Millisecond)
	h.takeMark(t, h.mark(id("a"), "two"), queue.Known, id("a"))
	h.clock.Advance(time.Millisecond)
	h.takeMark(t, h.mark(id("a"), "two"), queue.Taken, "")
}

func testMarkReleased(t *testing.T, h *harness) {
	h.takeMark(t, h.mark(id("a"), "one"), queue.Taken, "")
	h.releaseMark(t, h.mark(id("a"), "one"))
	h.takeMark(t, h.mark(id("a"), "two"), queue.Taken, "")
}

// testMarkOwner: a process that was stopped comes back when another has the mark.
func testMarkOwner(t *testing.T, h *harness) {
	h.takeMark(t, h.mark(id("a"), "one"), queue.Taken, "")
	h.clock.Advance(markHold)
	h.takeMark(t, h.mark(id("a"), "two"), queue.Taken, "")
	h.releaseMark(t, h.mark(id("a"), "one"))
	h.takeMark(t, h.mark(id("a"), "three"), queue.Held, "")
	h.keepMark(t, h.mark(id("a"), "one")) // it did deliver
	h.takeMark(t, h.mark(id("a"), "three"), queue.Known, id("a"))
}

func testMarkAbandoned(t *testing.T, h *harness) {
	h.takeMark(t, h.mark(id("a"), "one"), queue.Taken, "")
	h.clock.Advance(markHold - time.Millisecond)
	h.takeMark(t, h.mark(id("a"), "two"), queue.Held, "")
	h.clock.Advance(time.Millisecond)
	h.takeMark(t, h.mark(id("a"), "two"), queue.Taken, "")
}

// testMarkAndAdmission is about an endpoint whose delivery is changed.
func testMarkAndAdmission(t *testing.T, h *harness) {
	h.admit(t, h.admission(id("a")))
	h.takeMark(t, h.mark(id("a"), "one"), queue.Known, id("a"))
	h.finish(t, h.admission(id("b")))
	h.takeMark(t, h.mark(id("b"), "one"), queue.Known, id("b"))
	mark := h.mark(id("c"), "one")
	h.takeMark(t, mark, queue.Taken, "")
	h.keepMark(t, mark)
	h.refuse(t, h.admission(id("c")), id("c"))
}

func testMarkReplay(t *testing.T, h *harness) {
	of := func(event, owner string) queue.Mark {
		mark := h.mark(event, owner)
		mark.ReplayMark = "body"
		return mark
	}
	h.takeMark(t, of(id("a"), "one"), queue.Taken, "")
	h.takeMark(t, of(id("b"), "two"), queue.Held, "")
	h.releaseMark(t, of(id("a"), "one"))
	h.takeMark(t, of(id("b"), "two"), queue.Taken, "")
	h.keepMark(t, of(id("b"), "two"))
	h.takeMark(t, of(id("c"), "three"), queue.Known, id("b"))
}

func testMarksAreApart(t *testing.T, h *harness) {
	h.takeMark(t, h.mark(id("a"), "one"), queue.Taken, "")
	h.takeMark(t, h.mark(id("b"), "one"), queue.Taken, "")
	elsewhere := h.mark(id("a"), "one")
	elsewhere.EndpointUID = "uid-" + queue.NewID()
	h.takeMark(t, elsewhere, queue.Taken, "")
}
