package queuetest

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
)

// The callers of these tests give up sooner and later, so that their steps are
// not sent, under way, or done.
var lostTests = []namedTest{
	{"what a claim took whose caller gave up is there for the next", testLostClaim},
	{"the lease of an admission whose caller gave up can be given back", testLostAdmission},
}

// givingUp is how often a caller gives up, giveUpStep how much later each time.
const (
	givingUp   = 20
	giveUpStep = 50 * time.Microsecond
)

func impatient(t *testing.T, i int) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	time.AfterFunc(time.Duration(i)*giveUpStep, cancel)
	return ctx
}

func numbered(i int) string { return strconv.Itoa(1000 + i) }

func testLostClaim(t *testing.T, h *harness) {
	for i := range givingUp {
		h.admit(t, h.admission(numbered(i)))
	}
	fences := map[string]int64{}
	for i := range givingUp {
		// Twice in a row, so that what is lost is lost again.
		for range 2 {
			deliveries, err := h.store.Claim(impatient(t, i), h.queue("builder"), givingUp, lease)
			if err == nil {
				h.giveBack(t, deliveries)
			}
		}
		deliveries, err := h.store.Claim(t.Context(), h.queue("builder"), givingUp, lease)
		if err != nil || len(deliveries) != givingUp {
			t.Fatalf("Claim returned %d events and %v, want all %d", len(deliveries), err, givingUp)
		}
		for _, delivery := range deliveries {
			if delivery.Lease.Fence <= fences[delivery.Lease.EventID] {
				t.Fatalf("the fence is %d after %d", delivery.Lease.Fence, fences[delivery.Lease.EventID])
			}
			fences[delivery.Lease.EventID] = delivery.Lease.Fence
		}
		h.giveBack(t, deliveries)
	}
}

func (h *harness) giveBack(t *testing.T, deliveries []queue.Delivery) {
	t.Helper()
	for _, delivery := range deliveries {
		h.settle(t, delivery.Lease, queue.Settlement{Outcome: queue.Release})
	}
}

func testLostAdmission(t *testing.T, h *harness) {
	for i := range givingUp {
		admission := h.admission(numbered(i))
		admission.LeaseFor = lease
		first, lost := h.store.Admit(impatient(t, i), admission)
		again, err := h.store.Admit(t.Context(), admission)
		if err != nil {
			t.Fatalf("Admit: %v", err)
		}
		held := first.Leases
		if lost != nil && !again.Duplicate {
			// It was not stored before, so that there is nothing to give back: not
			// even what the second admission got for the same event.
			held = again.Leases
			for _, doubtful := range first.Leases {
				err := h.store.Settle(t.Context(), doubtful, queue.Settlement{Outcome: queue.Release})
				if !errors.Is(err, queue.ErrLeaseLost) {
					t.Errorf("giving back what was never leased returned %v, want ErrLeaseLost", err)
				}
			}
		}
		if len(held) != 1 {
			t.Fatalf("the event has leases %+v (%+v, %v; then %+v)", held, first, lost, again)
		}
		h.claimNone(t, "builder")
		h.settle(t, held[0], queue.Settlement{Outcome: queue.Release})
		h.settle(t, h.claimOne(t, "builder").Lease, done(h.clock))
	}
}
