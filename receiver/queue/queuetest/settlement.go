package queuetest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
)

var settlementTests = []namedTest{
	{"a retry is due later and counts", testRetry},
	{"a release is due later and does not count", testRelease},
	{"a dead event is never claimed and stays remembered", testBury},
	{"one target's end leaves the others alone", testTargetsIndependent},
	{"the latest attempts are kept", testAttempts},
	{"long excerpts are cut", testExcerpt},
	{"only the latest attempt keeps its excerpt", testLatestExcerpt},
	{"what is due too late is hastened", testHasten},
	{"hastening leaves leases that are held alone", testHastenLeased},
}

func testRetry(t *testing.T, h *harness) {
	h.admit(t, h.admission(id("a")))
	for want := range 3 {
		delivery := h.claimOne(t, "builder")
		if delivery.Lease.Attempts != want {
			t.Errorf("lease says %d attempts, want %d", delivery.Lease.Attempts, want)
		}
		h.settle(t, delivery.Lease, retry(h.clock, time.Minute))
		h.clock.Advance(time.Minute - time.Millisecond)
		h.claimNone(t, "builder")
		h.clock.Advance(time.Millisecond)
	}
}

func testRelease(t *testing.T, h *harness) {
	h.admit(t, h.admission(id("a")))
	for range 3 {
		delivery := h.claimOne(t, "builder")
		if delivery.Lease.Attempts != 0 {
			t.Errorf("lease says %d attempts, want none", delivery.Lease.Attempts)
		}
		h.settle(t, delivery.Lease, queue.Settlement{Outcome: queue.Release, After: time.Second})
		h.claimNone(t, "builder")
		h.clock.Advance(time.Second)
	}
	if log := h.get(t, id("a")).Targets[0].Log; len(log) != 0 {
		t.Errorf("releases are logged as attempts: %+v", log)
	}
}

// testHasten: the clock was an hour ahead while an event was retried.
func testHasten(t *testing.T, h *harness) {
	h.admit(t, h.admission(id("a")))
	h.clock.Advance(time.Hour)
	h.settle(t, h.claimOne(t, "builder").Lease, retry(h.clock, 10*time.Second))
	h.clock.Advance(-time.Hour)
	h.admit(t, h.admission(id("b")))
	h.settle(t, h.claimOne(t, "builder").Lease, retry(h.clock, 2*time.Minute))
	if got, want := h.depth(t, "builder").LastDue, h.clock.Now().Add(time.Hour+10*time.Second); !got.Equal(want) {
		t.Errorf("the last event is due at %v, want %v", got, want)
	}
	for range 2 { // the second time there is nothing to do
		if err := h.store.Hasten(t.Context(), h.queue("builder"), 2*time.Minute, lease); err != nil {
			t.Fatalf("Hasten: %v", err)
		}
	}
	if got := h.claimOne(t, "builder"); got.Lease.EventID != id("a") || got.Lease.Attempts != 1 {
		t.Errorf("%+v is due, want the event that was due too late", got.Lease)
	}
	if got, want := h.depth(t, "builder").LastDue, h.clock.Now().Add(2*time.Minute); !got.Equal(want) {
		t.Errorf("the other event is due at %v, want %v, as before", got, want)
	}
	if err := h.store.Hasten(t.Context(), h.queue("nobody"), time.Minute, lease); err != nil {
		t.Errorf("Hasten of an unknown queue: %v", err)
	}
}

func testHastenLeased(t *testing.T, h *harness) {
	h.admit(t, h.admission(id("a")))
	h.clock.Advance(time.Hour)
	held := h.claimOne(t, "builder").Lease
	h.clock.Advance(-time.Hour)
	if err := h.store.Hasten(t.Context(), h.queue("builder"), time.Minute, lease); err != nil {
		t.Fatalf("Hasten: %v", err)
	}
	h.claimNone(t, "builder")
	lost, err := h.store.Renew(t.Context(), []queue.Lease{held}, lease)
	if err != nil || len(lost) != 0 {
		t.Errorf("the lease is lost (%v, %v)", lost, err)
	}
	h.settle(t, held, done(h.clock))
}

func testBury(t *testing.T, h *harness) {
	h.bury(t, h.admission(id("a")))
	h.clock.Advance(48 * time.Hour)
	h.claimNone(t, "builder")
	depth := h.depth(t, "builder")
	if depth.Pending != 0 || depth.Dead != 1 {
		t.Errorf("depth is %+v, want one dead and none pending", depth)
	}
	record := h.get(t, id("a"))
	if record.Status != queue.StatusDead || record.Targets[0].Reason != "gone" || len(record.Event.Body) == 0 {
		t.Errorf("the dead event is %+v, want it whole with its reason", record)
	}
}

func testTargetsIndependent(t *testing.T, h *harness) {
	admission := h.admission(id("a"), "builder", "auditor", "archive")
	admission.LeaseFor = lease
	leases := h.admit(t, admission).Leases
	h.settle(t, leases[0], done(h.clock))
	h.settle(t, leases[1], queue.Settlement{Outcome: queue.Dead, Reason: "gone"})
	record := h.get(t, id("a"))
	want := []queue.Status{queue.StatusDelivered, queue.StatusDead, queue.StatusPending}
	for i, target := range record.Targets {
		if target.Status != want[i] {
			t.Errorf("target %s is %s, want %s", target.Target, target.Status, want[i])
		}
	}
	if record.Status != queue.StatusPending {
		t.Errorf("the event is %s while a target is pending", record.Status)
	}
	h.clock.Advance(lease)
	h.claimNone(t, "builder")
	h.claimNone(t, "auditor")
	h.settle(t, h.claimOne(t, "archive").Lease, done(h.clock))
	if got := h.get(t, id("a")).Status; got != queue.StatusDead {
		t.Errorf("with one dead target the event is %s", got)
	}
}

func testAttempts(t *testing.T, h *harness) {
	h.admit(t, h.admission(id("a")))
	const tries = queue.AttemptsKept + 3
	for try := range tries {
		settlement := retry(h.clock, time.Minute)
		settlement.Attempt.Status, settlement.Attempt.Error = 500+try, strings.Repeat("two\nlines ", 100)
		h.settle(t, h.claimOne(t, "builder").Lease, settlement)
		h.clock.Advance(time.Minute)
	}
	target := h.get(t, id("a")).Targets[0]
	if target.Attempts != tries || target.Reason != "status" || len(target.Log) != queue.AttemptsKept {
		t.Fatalf("after %d attempts the target is %+v", tries, target)
	}
	for i, got := range target.Log {
		if want := 500 + tries - queue.AttemptsKept + i; got.Status != want {
			t.Errorf("logged attempt %d has status %d, want %d", i, got.Status, want)
		}
		if got.Latency != 12*time.Millisecond || got.At.IsZero() || len(got.Error) != queue.MaxAttemptError {
			t.Errorf("logged attempt is %+v", got)
		}
	}
}

func testExcerpt(t *testing.T, h *harness) {
	h.admit(t, h.admission(id("a")))
	settlement := retry(h.clock, time.Minute)
	settlement.Attempt.Excerpt = strings.Repeat("x", 2*queue.MaxExcerpt)
	h.settle(t, h.claimOne(t, "builder").Lease, settlement)
	if got := len(h.get(t, id("a")).Targets[0].Log[0].Excerpt); got != queue.MaxExcerpt {
		t.Errorf("%d bytes of excerpt are kept, want %d", got, queue.MaxExcerpt)
	}
}

// testLatestExcerpt: bytes that are not UTF-8 stay what they are, and an attempt
// without an answer does not show that of an earlier one.
func testLatestExcerpt(t *testing.T, h *harness) {
	const page = "\x00\xff<p>\"\n\x80"
	h.admit(t, h.admission(id("a")))
	for _, want := range [][]string{{page}, {"", page}, {"", "", ""}} {
		settlement := retry(h.clock, time.Minute)
		settlement.Attempt.Excerpt = want[len(want)-1]
		h.settle(t, h.claimOne(t, "builder").Lease, settlement)
		h.clock.Advance(time.Minute)
		var got []string
		for _, attempt := range h.get(t, id("a")).Targets[0].Log {
			got = append(got, attempt.Excerpt)
		}
		if !slices.Equal(got, want) {
			t.Errorf("the excerpts are %q, want %q", got, want)
		}
	}
}
