package queuetest

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
)

var sizeTests = []namedTest{
	{"an unknown endpoint takes nothing", testSizeUnknown},
	{"every event that is kept counts", testSize},
	{"what is no longer kept does not count", testSizeAfterwards},
	{"the history gives way, the oldest events first", testHistoryGivesWay},
	{"marks give way after the history, the oldest first", testMarksGiveWay},
}

// sizedBody makes what comes with an event negligible.
const sizedBody = 32 << 10

func (h *harness) sized(n int) *queue.Admission {
	admission := h.admission(id(fmt.Sprint(n)))
	admission.HistoryLimit = 100
	admission.Event.Body = bytes.Repeat([]byte{'x'}, sizedBody)
	return admission
}

func (h *harness) size(t *testing.T) int64 {
	t.Helper()
	sizes, err := h.store.Sizes(t.Context(), []string{"uid-of-nobody", h.uid})
	if err != nil {
		t.Fatal(err)
	}
	if len(sizes) != 2 || sizes[0] != (queue.Usage{}) {
		t.Fatalf("sizes are %v, want two, the first 0", sizes)
	}
	if sizes[1].Total() < sizes[1].Kept {
		t.Errorf("the usage is %+v", sizes[1])
	}
	return sizes[1].Kept + sizes[1].History
}

func (h *harness) wantSize(t *testing.T, events int) {
	t.Helper()
	want := int64(events) * sizedBody
	if got := h.size(t); got < want || got > want+want/4 {
		t.Errorf("%d events take %d bytes, want about %d", events, got, want)
	}
}

func testSizeUnknown(t *testing.T, h *harness) { h.wantSize(t, 0) }

func testSize(t *testing.T, h *harness) {
	const each = 20
	for i := range each {
		h.finish(t, h.sized(3*i))
		h.bury(t, h.sized(3*i+1))
		h.clock.Advance(time.Second)
	}
	for i := range each {
		h.admit(t, h.sized(3*i+2))
	}
	h.wantSize(t, 3*each)
}

func testSizeAfterwards(t *testing.T, h *harness) {
	admission := h.sized(1)
	admission.HistoryLimit = 0
	h.finish(t, admission)
	h.wantSize(t, 0)
	h.admit(t, h.sized(2))
	h.wantSize(t, 1)
	if err := h.store.Purge(t.Context(), h.uid); err != nil {
		t.Fatal(err)
	}
	h.wantSize(t, 0)
}

// giveWay lets events give way and marks as far as must says.
func (h *harness) giveWay(t *testing.T, want, must int64) int64 {
	t.Helper()
	freed, err := h.store.GiveWay(t.Context(), []string{h.uid}, want, must)
	if err != nil {
		t.Fatal(err)
	}
	return freed
}

func testHistoryGivesWay(t *testing.T, h *harness) {
	const each = 10
	for i := range each {
		h.finish(t, h.sized(i))
		h.clock.Advance(time.Second)
	}
	h.bury(t, h.admission(id("d")))
	h.admit(t, h.admission(id("e")))
	if freed := h.giveWay(t, 4*sizedBody, 0); freed < 4*sizedBody || freed > 6*sizedBody {
		t.Errorf("%d bytes were freed, want about %d", freed, 4*sizedBody)
	}
	if kept := h.list(t, queue.Filter{Status: queue.StatusDelivered}); len(kept) < each-6 || len(kept) > each-4 ||
		kept[0] != id(fmt.Sprint(each-1)) {
		t.Errorf("%d events are kept, want the latest ones", len(kept))
	}
	h.refuse(t, h.sized(0), id("0"))
	h.giveWay(t, 1<<30, 0)
	h.wantList(t, queue.Filter{Status: queue.StatusDelivered})
	h.wantList(t, queue.Filter{Status: queue.StatusDead}, id("d"))
	h.wantList(t, queue.Filter{Status: queue.StatusPending}, id("e"))
	h.refuse(t, h.sized(each-1), id(fmt.Sprint(each-1)))
}

// testMarksGiveWay: a replay mark goes as any other, and says how far back copies
// are recognised.
func testMarksGiveWay(t *testing.T, h *harness) {
	for i := range 4 {
		admission := h.admission(id(fmt.Sprint(i)))
		admission.HistoryLimit, admission.ReplayMark = 0, fmt.Sprint("mark-", i)
		h.finish(t, admission)
		h.clock.Advance(time.Hour)
	}
	h.admit(t, h.admission(id("e")))
	sizes, err := h.store.Sizes(t.Context(), []string{h.uid})
	if err != nil || sizes[0].Marks == 0 || !sizes[0].Forgotten.IsZero() {
		t.Fatalf("sizes are %+v, %v", sizes, err)
	}
	h.giveWay(t, sizes[0].Marks/2, sizes[0].Marks/2)
	h.refuse(t, h.admission(id("3")), id("3"))
	after, err := h.store.Sizes(t.Context(), []string{h.uid})
	if err != nil {
		t.Fatal(err)
	}
	// Events that came two hours after the first are known, and none before.
	if got, want := after[0].Forgotten, h.clock.Now().Add(22*time.Hour-time.Hour); !got.Equal(want) {
		t.Errorf("events are forgotten to %v, want %v", got, want)
	}
	h.refuse(t, h.admission(id("e")), id("e"))
	again := h.admission(id("9"))
	again.ReplayMark = "mark-3"
	h.refuse(t, again, id("3"))
	again.ReplayMark = "mark-0"
	h.admit(t, again)
	h.admit(t, h.admission(id("0")))
}
