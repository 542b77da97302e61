package queuetest

import (
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/postern-dev/postern/receiver/queue"
)

var admissionTests = []namedTest{
	{"an event comes out as it went in", testRoundTrip},
	{"an event without headers and body comes out as it went in", testEmptyRoundTrip},
	{"an event reaches every target once", testTargets},
	{"a leased admission is not claimable", testLeasedAdmission},
	{"an admission without targets is an error", testNoTargets},
	{"an event is pending at some targets and dead at others from the start", testDeadOnArrival},
	{"an event that is dead at all targets is kept until it is replayed", testAllDeadOnArrival},
	{"a copy is a duplicate with the id of the first", testDuplicate},
	{"a duplicate tells whether its body is that of the first", testDuplicateBody},
	{"a duplicate of an event that is gone has an unknown body", testDuplicateBodyGone},
	{"concurrent copies tell whether their bodies are that of the first", testConcurrentBodies},
	{"a hundred concurrent copies make one event", testConcurrentCopies},
	{"the same id at another endpoint is another event", testEndpointsApart},
	{"a replay mark makes a copy under another id a duplicate", testReplayMark},
	{"the limit of a claim holds, oldest first", testClaimLimit},
}

func testRoundTrip(t *testing.T, h *harness) {
	want := Event(h.uid, id("a"), h.clock.Now())
	h.admit(t, h.admission(id("a")))
	delivery := h.claimOne(t, "builder")
	if !reflect.DeepEqual(delivery.Event, want) {
		t.Errorf("Claim returned\n%+v, want\n%+v", delivery.Event, want)
	}
	wantLease := queue.Lease{Queue: h.queue("builder"), EventID: id("a"), Fence: delivery.Lease.Fence}
	if delivery.Lease != wantLease {
		t.Errorf("Claim returned lease %+v, want %+v", delivery.Lease, wantLease)
	}
}

func testEmptyRoundTrip(t *testing.T, h *harness) {
	admission := h.admission(id("a"))
	admission.Event.Header, admission.Event.Body, admission.Event.Verified = nil, nil, false
	h.admit(t, admission)
	event := h.claimOne(t, "builder").Event
	if len(event.Header) != 0 || len(event.Body) != 0 || event.Verified {
		t.Errorf("Claim returned %+v, want no header, no body and not verified", event)
	}
}

func testTargets(t *testing.T, h *harness) {
	h.admit(t, h.admission(id("a"), "builder", "auditor"))
	for _, target := range []string{"builder", "auditor"} {
		if got := h.claimOne(t, target).Event.ID; got != id("a") {
			t.Errorf("Claim(%s) returned event %s", target, got)
		}
	}
	h.claimNone(t, "somebody-else")
}

func testLeasedAdmission(t *testing.T, h *harness) {
	admission := h.admission(id("a"), "builder", "auditor")
	admission.LeaseFor = lease
	receipt := h.admit(t, admission)
	if receipt.EventID != id("a") || len(receipt.Leases) != 2 {
		t.Fatalf("Admit returned %+v, want event a with two leases", receipt)
	}
	for i, target := range admission.Targets {
		if receipt.Leases[i].Queue != h.queue(target) || receipt.Leases[i].EventID != id("a") {
			t.Errorf("lease %d is %+v, want one of a at %s", i, receipt.Leases[i], target)
		}
		h.claimNone(t, target)
		h.settle(t, receipt.Leases[i], done(h.clock))
	}
}

func testNoTargets(t *testing.T, h *harness) {
	admission := h.admission(id("a"))
	admission.Targets = nil
	if receipt, err := h.store.Admit(t.Context(), admission); err == nil {
		t.Errorf("Admit without targets returned %+v, want an error", receipt)
	}
}

func testDeadOnArrival(t *testing.T, h *harness) {
	admission := h.admission(id("a"), "builder")
	admission.Dead, admission.DeadReason = []string{"auditor", "printer"}, "expression_failed"
	admission.LeaseFor = lease
	receipt := h.admit(t, admission)
	if len(receipt.Leases) != 1 || receipt.Leases[0].Queue != h.queue("builder") {
		t.Fatalf("Admit returned leases %+v, want the one of builder", receipt.Leases)
	}
	h.refuse(t, h.admission(id("a")), id("a"))
	for _, target := range admission.Dead {
		h.claimNone(t, target)
		if depth := h.depth(t, target); depth.Dead != 1 || depth.Pending != 0 {
			t.Errorf("depth of %s is %+v, want one dead letter", target, depth)
		}
	}
	h.settle(t, receipt.Leases[0], done(h.clock))
	record, err := h.store.Get(t.Context(), h.uid, id("a"))
	if err != nil || record.Status != queue.StatusDead || len(record.Targets) != 3 {
		t.Fatalf("Get returned %+v, %v; want a dead event of three targets", record, err)
	}
	requireDeadOnArrival(t, record.Targets[1:])
	if n, err := h.store.Replay(t.Context(), h.uid, id("a"), []string{"auditor"}); err != nil || n != 1 {
		t.Fatalf("Replay returned %d, %v", n, err)
	}
	h.settle(t, h.claimOne(t, "auditor").Lease, done(h.clock))
	if depth := h.depth(t, "printer"); depth.Dead != 1 {
		t.Errorf("depth of printer is %+v, want its dead letter as before", depth)
	}
}

func requireDeadOnArrival(t *testing.T, states []queue.TargetState) {
	t.Helper()
	for _, state := range states {
		if state.Status != queue.StatusDead || state.Reason != "expression_failed" || state.Attempts != 0 {
			t.Errorf("state is %+v, want dead by expression_failed without attempts", state)
		}
	}
}

func testAllDeadOnArrival(t *testing.T, h *harness) {
	admission := h.admission(id("a"))
	admission.Targets, admission.Dead, admission.DeadReason = nil, []string{"builder"}, "expression_failed"
	admission.LeaseFor = lease
	if receipt := h.admit(t, admission); len(receipt.Leases) != 0 {
		t.Fatalf("Admit returned leases %+v, want none", receipt.Leases)
	}
	for status, want := range map[queue.Status]int{queue.StatusPending: 0, queue.StatusDead: 1, queue.StatusDelivered: 0} {
		page, err := h.store.List(t.Context(), h.uid, queue.Filter{Status: status})
		if err != nil || len(page.Events) != want {
			t.Errorf("List(%s) returned %+v, %v; want %d", status, page.Events, err, want)
		}
	}
	if n, err := h.store.ReplayDead(t.Context(), h.uid, queue.Filter{}); err != nil || n != 1 {
		t.Fatalf("ReplayDead returned %d, %v", n, err)
	}
	delivery := h.claimOne(t, "builder")
	if string(delivery.Event.Body) != string(admission.Event.Body) {
		t.Errorf("the replayed event has body %q", delivery.Event.Body)
	}
	h.settle(t, delivery.Lease, done(h.clock))
	if depth := h.depth(t, "builder"); depth.Dead != 0 || depth.Pending != 0 {
		t.Errorf("depth is %+v, want none left", depth)
	}
}

func testDuplicate(t *testing.T, h *harness) {
	h.admit(t, h.admission(id("a")))
	second := h.admission(id("a"))
	second.Event.Body = []byte("another body, as some providers send with a retry")
	second.LeaseFor = lease
	h.refuse(t, second, id("a"))
	if got := h.depth(t, "builder").Pending; got != 1 {
		t.Errorf("%d events are pending, want 1", got)
	}
}

// wantBody expects a duplicate whose body matches like this.
func (h *harness) wantBody(t *testing.T, admission *queue.Admission, want queue.BodyMatch) {
	t.Helper()
	receipt, err := h.store.Admit(t.Context(), admission)
	if err != nil || !receipt.Duplicate || receipt.Body != want {
		t.Errorf("Admit returned %+v and %v, want a duplicate with body %s", receipt, err, want)
	}
}

func (h *harness) withBody(digit, mark, body string) *queue.Admission {
	admission := h.admission(id(digit))
	admission.ReplayMark, admission.Event.Body = mark, []byte(body)
	return admission
}

func testDuplicateBody(t *testing.T, h *harness) {
	const body, mark = "\x00{}\r\n\xff", "5d41402abc4b2a76b9719d911017c592"
	if receipt := h.admit(t, h.withBody("a", mark, body)); receipt.Body != "" {
		t.Errorf("a new event has the body match %q", receipt.Body)
	}
	longer := h.withBody("a", mark, body) // only its meta part differs
	longer.Event.Header.Set("X-Attempt", "2")
	h.wantBody(t, longer, queue.BodySame)
	h.wantBody(t, h.withBody("b", mark, body), queue.BodySame)
	for _, other := range []string{"", body + "x", body[1:], "\x00{]\r\n\xff"} {
		h.wantBody(t, h.withBody("a", mark, other), queue.BodyDifferent)
		h.wantBody(t, h.withBody("b", mark, other), queue.BodyDifferent)
	}
	h.admit(t, h.withBody("c", "", ""))
	h.wantBody(t, h.withBody("c", "", ""), queue.BodySame)
	h.wantBody(t, h.withBody("c", "", "x"), queue.BodyDifferent)
}

func testDuplicateBodyGone(t *testing.T, h *harness) {
	h.finish(t, h.admission(id("a")))
	h.wantBody(t, h.admission(id("a")), queue.BodySame)
	if _, err := h.store.TrimBodies(t.Context(), h.uid, 0); err != nil {
		t.Fatal(err)
	}
	h.wantBody(t, h.admission(id("a")), queue.BodyUnknown)
	unkept := h.admission(id("b"))
	unkept.HistoryLimit = 0
	h.finish(t, unkept)
	h.wantBody(t, h.admission(id("b")), queue.BodyUnknown)
}

// testConcurrentBodies has copies that a store may take together: by id, and by
// replay mark.
func testConcurrentBodies(t *testing.T, h *harness) {
	const copies = 60
	receipts, bodies := make([]queue.Receipt, copies), make([]string, copies)
	var group sync.WaitGroup
	for i := range copies {
		bodies[i] = []string{"one", "two"}[i/2%2]
		group.Go(func() {
			receipt, err := h.store.Admit(t.Context(), h.withBody([]string{"a", "b"}[i%2], "mark", bodies[i]))
			if err != nil {
				t.Errorf("Admit: %v", err)
			}
			receipts[i] = receipt
		})
	}
	group.Wait()
	first := slices.IndexFunc(receipts, func(r queue.Receipt) bool { return !r.Duplicate })
	if first < 0 {
		t.Fatal("every copy is a duplicate")
	}
	for i, receipt := range receipts {
		want := queue.MatchBodies([]byte(bodies[first]), []byte(bodies[i]))
		if i != first && (!receipt.Duplicate || receipt.EventID != receipts[first].EventID || receipt.Body != want) {
			t.Errorf("copy %d got %+v, want a duplicate of %s with body %s", i, receipt, receipts[first].EventID, want)
		}
	}
}

func testConcurrentCopies(t *testing.T, h *harness) {
	const copies = 100
	receipts := make([]queue.Receipt, copies)
	var group sync.WaitGroup
	for i := range copies {
		group.Go(func() {
			receipt, err := h.store.Admit(t.Context(), h.admission(id("a")))
			if err != nil {
				t.Errorf("Admit: %v", err)
			}
			receipts[i] = receipt
		})
	}
	group.Wait()
	first := 0
	for _, receipt := range receipts {
		if !receipt.Duplicate {
			first++
		}
		if receipt.EventID != id("a") {
			t.Errorf("a copy got id %q", receipt.EventID)
		}
	}
	if first != 1 {
		t.Errorf("%d of %d copies were new, want 1", first, copies)
	}
	h.claimOne(t, "builder")
}

func testEndpointsApart(t *testing.T, h *harness) {
	h.admit(t, h.admission(id("a")))
	other := *h
	other.uid += "-other"
	other.admit(t, other.admission(id("a")))
	h.claimOne(t, "builder")
	other.claimOne(t, "builder")
}

func testReplayMark(t *testing.T, h *harness) {
	marked := func(id string) *queue.Admission {
		admission := h.admission(id)
		admission.ReplayMark = "5d41402abc4b2a76b9719d911017c592"
		return admission
	}
	h.admit(t, marked(id("a")))
	h.refuse(t, marked(id("b")), id("a"))
	h.admit(t, h.admission(id("c")))
	h.clock.Advance(marked("").RememberFor)
	h.admit(t, marked(id("d")))
	h.refuse(t, marked(id("e")), id("d"))
}

func testClaimLimit(t *testing.T, h *harness) {
	for _, digit := range []string{"c", "a", "b"} {
		h.admit(t, h.admission(id(digit)))
		h.clock.Advance(1e9)
	}
	for _, want := range []string{"c", "a", "b"} {
		deliveries, err := h.store.Claim(t.Context(), h.queue("builder"), 1, lease)
		if err != nil || len(deliveries) != 1 || deliveries[0].Event.ID != id(want) {
			t.Fatalf("Claim returned %+v and %v, want event %s", deliveries, err, want)
		}
	}
	h.claimNone(t, "builder")
}
