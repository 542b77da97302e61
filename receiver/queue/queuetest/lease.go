package queuetest

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
)

var leaseTests = []namedTest{
	{"a lease that ran out makes the event due again", testLeaseExpiry},
	{"a settlement with an old fence is refused", testFence},
	{"a lease that ran out but was not taken can still be settled", testLateSettlement},
	{"a lease can be settled once", testSettleOnce},
	{"a renewed lease holds longer", testRenew},
	{"renewing tells the leases that are lost", testRenewLost},
	{"a claim is bounded in bytes", testClaimBytes},
}

// testClaimBytes: a claim returns what fits, and one event that does not.
func testClaimBytes(t *testing.T, h *harness) {
	large := func(n int, bytes int) {
		admission := h.admission(id(strconv.Itoa(n)))
		admission.Event.Body = make([]byte, bytes)
		h.admit(t, admission)
		h.clock.Advance(time.Second)
	}
	large(0, queue.MaxClaimBytes+1)
	for n := range 3 {
		large(n+1, queue.MaxClaimBytes/2-1024)
	}
	for i, want := range []int{1, 2, 1} {
		if got := len(h.claim(t, "builder")); got != want {
			t.Errorf("claim %d returned %d events, want %d", i, got, want)
		}
	}
}

func testLeaseExpiry(t *testing.T, h *harness) {
	h.admit(t, h.admission(id("a")))
	first := h.claimOne(t, "builder")
	h.clock.Advance(lease - time.Millisecond)
	h.claimNone(t, "builder")
	h.clock.Advance(time.Millisecond)
	second := h.claimOne(t, "builder")
	if second.Lease.Fence <= first.Lease.Fence {
		t.Errorf("fences are %d, then %d, want them to grow", first.Lease.Fence, second.Lease.Fence)
	}
	if second.Lease.Attempts != 0 {
		t.Errorf("a lost lease counts as %d attempts, want none", second.Lease.Attempts)
	}
}

func testFence(t *testing.T, h *harness) {
	h.admit(t, h.admission(id("a")))
	old := h.claimOne(t, "builder").Lease
	h.clock.Advance(lease)
	current := h.claimOne(t, "builder").Lease
	for _, outcome := range []queue.Outcome{queue.Done, queue.Retry, queue.Dead, queue.Release} {
		err := h.store.Settle(t.Context(), old, queue.Settlement{Outcome: outcome})
		if !errors.Is(err, queue.ErrLeaseLost) {
			t.Errorf("outcome %d with the old fence returned %v, want ErrLeaseLost", outcome, err)
		}
	}
	h.settle(t, current, done(h.clock))
}

func testLateSettlement(t *testing.T, h *harness) {
	h.admit(t, h.admission(id("a")))
	held := h.claimOne(t, "builder").Lease
	h.clock.Advance(2 * lease)
	h.settle(t, held, done(h.clock))
	h.claimNone(t, "builder")
}

func testSettleOnce(t *testing.T, h *harness) {
	for name, first := range map[string]queue.Settlement{
		"a": done(h.clock),
		"b": retry(h.clock, time.Minute),
		"c": {Outcome: queue.Dead, Reason: "gone"},
		"d": {Outcome: queue.Release, After: time.Minute},
	} {
		admission := h.admission(id(name))
		admission.LeaseFor = lease
		held := h.admit(t, admission).Leases[0]
		h.settle(t, held, first)
		if err := h.store.Settle(t.Context(), held, done(h.clock)); !errors.Is(err, queue.ErrLeaseLost) {
			t.Errorf("after outcome %d a second settlement returned %v, want ErrLeaseLost", first.Outcome, err)
		}
	}
}

func testRenew(t *testing.T, h *harness) {
	h.admit(t, h.admission(id("a"), "builder", "auditor"))
	held := []queue.Lease{h.claimOne(t, "builder").Lease, h.claimOne(t, "auditor").Lease}
	h.clock.Advance(lease - time.Second)
	lost, err := h.store.Renew(t.Context(), held, lease)
	if err != nil || len(lost) != 0 {
		t.Fatalf("Renew returned %v and %v, want nothing lost", lost, err)
	}
	h.clock.Advance(lease - time.Second)
	h.claimNone(t, "builder")
	h.clock.Advance(time.Second)
	h.claimOne(t, "builder")
	h.claimOne(t, "auditor")
}

func testRenewLost(t *testing.T, h *harness) {
	for _, digit := range []string{"a", "b", "c"} {
		h.admit(t, h.admission(id(digit)))
		h.clock.Advance(time.Second)
	}
	var held []queue.Lease
	for _, delivery := range h.claim(t, "builder") {
		held = append(held, delivery.Lease)
	}
	h.settle(t, held[1], done(h.clock))
	stranger := queue.Lease{Queue: h.queue("builder"), EventID: id("f"), Fence: 1}
	lost, err := h.store.Renew(t.Context(), append(held, stranger), lease)
	if err != nil {
		t.Fatalf("Renew: %v", err)
	}
	if len(lost) != 2 || lost[0] != held[1] || lost[1] != stranger {
		t.Errorf("Renew lost %+v, want the settled and the unknown one", lost)
	}
	if lost, err := h.store.Renew(t.Context(), nil, lease); err != nil || len(lost) != 0 {
		t.Errorf("Renew of nothing returned %v and %v", lost, err)
	}
}
