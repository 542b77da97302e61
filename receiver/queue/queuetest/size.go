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
	if len(sizes) != 2 || sizes[0] != 0 {
		t.Fatalf("sizes are %v, want two, the first 0", sizes)
	}
	return sizes[1]
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
