package queuetest

import (
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
)

var windowTests = []namedTest{
	{"a delivered event is remembered to the end of its window", testWindow},
	{"a delivered event outside the history is remembered too", testTombstone},
	{"after its window an event in the history does not hide a new one", testWindowOverInHistory},
	{"after its window a pending event does not hide a new one", testWindowOverWhilePending},
	{"without a window a delivered event is forgotten", testNoWindow},
	{"without a window a pending event is still known", testNoWindowPending},
}

func testWindow(t *testing.T, h *harness) {
	h.finish(t, h.admission(id("a")))
	h.clock.Advance(24*time.Hour - time.Millisecond)
	h.refuse(t, h.admission(id("a")), id("a"))
}

func testTombstone(t *testing.T, h *harness) {
	small := func() *queue.Admission {
		admission := h.admission(id("a"))
		admission.HistoryLimit = 0
		return admission
	}
	h.finish(t, small())
	if _, err := h.store.Get(t.Context(), h.uid, id("a")); err == nil {
		t.Error("the event is still kept")
	}
	h.clock.Advance(24*time.Hour - time.Millisecond)
	h.refuse(t, small(), id("a"))
	h.clock.Advance(time.Millisecond)
	if receipt := h.admit(t, small()); receipt.EventID != id("a") {
		t.Errorf("after the window the event got id %s, want its own", receipt.EventID)
	}
}

// testWindowOverInHistory is about an event whose id returns rightly, for
// example a heartbeat that is told apart by its body alone.
func testWindowOverInHistory(t *testing.T, h *harness) {
	h.finish(t, h.admission(id("a")))
	h.clock.Advance(24 * time.Hour)
	h.anotherUnderSameID(t)
	if got := len(h.list(t, queue.Filter{Status: queue.StatusDelivered})); got != 1 {
		t.Errorf("the history has %d events, want the first one", got)
	}
}

func testWindowOverWhilePending(t *testing.T, h *harness) {
	h.admit(t, h.admission(id("a")))
	h.clock.Advance(24 * time.Hour)
	h.anotherUnderSameID(t)
	if deliveries := h.claim(t, "builder"); len(deliveries) != 2 {
		t.Errorf("Claim returned %d events, want both", len(deliveries))
	}
}

// anotherUnderSameID admits an event whose id is taken by one that is kept.
func (h *harness) anotherUnderSameID(t *testing.T) {
	t.Helper()
	admission := h.admission(id("a"))
	receipt := h.admit(t, admission)
	if receipt.EventID == id("a") || len(receipt.EventID) != 32 {
		t.Errorf("the second event got id %q, want one of its own", receipt.EventID)
	}
	if admission.Event.ID != receipt.EventID {
		t.Errorf("the event has id %q, the receipt %q", admission.Event.ID, receipt.EventID)
	}
	h.refuse(t, h.admission(id("a")), receipt.EventID)
	if got := h.get(t, receipt.EventID).Event; string(got.Body) != string(admission.Event.Body) {
		t.Errorf("the second event is stored with body %q", got.Body)
	}
}

func testNoWindow(t *testing.T, h *harness) {
	forgetful := func() *queue.Admission {
		admission := h.admission(id("a"))
		admission.RememberFor, admission.HistoryLimit = 0, 0
		return admission
	}
	h.finish(t, forgetful())
	h.finish(t, forgetful())
}

func testNoWindowPending(t *testing.T, h *harness) {
	admission := h.admission(id("a"))
	admission.RememberFor = 0
	h.admit(t, admission)
	again := h.admission(id("a"))
	again.RememberFor = 0
	h.refuse(t, again, id("a"))
}
