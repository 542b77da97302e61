// Package queuetest is the conformance suite of the store: what every
// implementation of the contract of package queue does, told by tests.
//
// Tests of implementations import it; it imports queue and event.
package queuetest

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/event"
	"github.com/postern-dev/postern/receiver/queue"
)

// Open makes a store, or connects to one; it is closed at the end of the test.
// Stores may share what is behind them: every test uses an endpoint of its own.
type Open func(t *testing.T, clock func() time.Time) queue.Store

// Run runs the whole suite.
func Run(t *testing.T, open Open) {
	for _, group := range [][]namedTest{
		admissionTests, windowTests, leaseTests, settlementTests, historyTests, depthTests, listTests, replayTests,
		discardTests, purgeTests, sizeTests, jobTests, markTests, lostTests,
	} {
		for _, test := range group {
			t.Run(test.name, func(t *testing.T) {
				t.Parallel()
				test.run(t, newHarness(t, open))
			})
		}
	}
}

type namedTest struct {
	name string
	run  func(t *testing.T, h *harness)
}

// Clock is a clock that moves only when told to.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock starts a clock at a full second that means nothing.
func NewClock() *Clock {
	return &Clock{now: time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)}
}

// Now tells the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// harness is one store with a clock and an endpoint.
type harness struct {
	store queue.Store
	clock *Clock
	uid   string
}

func newHarness(t *testing.T, open Open) *harness {
	clock := NewClock()
	return &harness{store: open(t, clock.Now), clock: clock, uid: "uid-" + queue.NewID()}
}

// lease is the lease of most tests.
const lease = 30 * time.Second

// Event makes an event as a provider sends them, with a body that any
// re-serialisation would change.
func Event(endpointUID, id string, receivedAt time.Time) *event.Event {
	return &event.Event{
		ID:          id,
		EndpointUID: endpointUID,
		Namespace:   "ci",
		Endpoint:    "github",
		Source:      "github",
		Type:        "push",
		DeliveryID:  "72d3162e-cc78-11e3-81ab-4c9367dc0958",
		ReceivedAt:  receivedAt,
		Verified:    true,
		TraceParent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		Method:      http.MethodPost,
		RawQuery:    "a=1&b=%20",
		Header: http.Header{
			"Content-Type":   {"application/json"},
			"X-Github-Event": {"push"},
			"X-Two":          {"one", "two"},
		},
		Body: []byte("{\"ref\": \"refs/heads/\\u006dain\",\t\"n\":1.0}\x00\xff\n"),
	}
}

// admission is one for targets of the harness's endpoint, with a day's window.
func (h *harness) admission(id string, targets ...string) *queue.Admission {
	if len(targets) == 0 {
		targets = []string{"builder"}
	}
	return &queue.Admission{
		Event:        Event(h.uid, id, h.clock.Now()),
		Targets:      targets,
		RememberFor:  24 * time.Hour,
		HistoryLimit: 10,
	}
}

func (h *harness) queue(target string) queue.ID {
	return queue.ID{EndpointUID: h.uid, Target: target}
}

// admit stores an event that must be new.
func (h *harness) admit(t *testing.T, admission *queue.Admission) queue.Receipt {
	t.Helper()
	receipt, err := h.store.Admit(t.Context(), admission)
	if err != nil {
		t.Fatalf("Admit: %v", err)
	}
	if receipt.Duplicate {
		t.Fatalf("Admit: event %s is a duplicate of %s, want a new one", admission.Event.ID, receipt.EventID)
	}
	return receipt
}

// refuse expects a duplicate of the named event.
func (h *harness) refuse(t *testing.T, admission *queue.Admission, first string) {
	t.Helper()
	receipt, err := h.store.Admit(t.Context(), admission)
	if err != nil {
		t.Fatalf("Admit: %v", err)
	}
	if !receipt.Duplicate || receipt.EventID != first {
		t.Errorf("Admit returned %+v, want a duplicate of %s", receipt, first)
	}
	if len(receipt.Leases) != 0 {
		t.Errorf("a duplicate got leases: %+v", receipt.Leases)
	}
}

// claim leases what is due, at most ten events.
func (h *harness) claim(t *testing.T, target string) []queue.Delivery {
	t.Helper()
	deliveries, err := h.store.Claim(t.Context(), h.queue(target), 10, lease)
	if err != nil {
		t.Fatalf("Claim: %v", err)
	}
	return deliveries
}

// claimOne expects exactly one due event.
func (h *harness) claimOne(t *testing.T, target string) queue.Delivery {
	t.Helper()
	deliveries := h.claim(t, target)
	if len(deliveries) != 1 {
		t.Fatalf("Claim(%s) returned %d events, want 1", target, len(deliveries))
	}
	return deliveries[0]
}

// claimNone expects that nothing is due.
func (h *harness) claimNone(t *testing.T, target string) {
	t.Helper()
	if deliveries := h.claim(t, target); len(deliveries) != 0 {
		t.Errorf("Claim(%s) returned %d events, want none", target, len(deliveries))
	}
}

func (h *harness) settle(t *testing.T, held queue.Lease, settlement queue.Settlement) {
	t.Helper()
	if err := h.store.Settle(t.Context(), held, settlement); err != nil {
		t.Fatalf("Settle(%+v): %v", settlement, err)
	}
}

// finish admits an event and delivers it.
func (h *harness) finish(t *testing.T, admission *queue.Admission) {
	t.Helper()
	admission.LeaseFor = lease
	for _, held := range h.admit(t, admission).Leases {
		h.settle(t, held, done(h.clock))
	}
}

// bury admits an event and gives it up.
func (h *harness) bury(t *testing.T, admission *queue.Admission) {
	t.Helper()
	admission.LeaseFor = lease
	for _, held := range h.admit(t, admission).Leases {
		h.settle(t, held, queue.Settlement{Outcome: queue.Dead, Reason: "gone", Attempt: attempt(h.clock, 410)})
	}
}

func (h *harness) depth(t *testing.T, target string) queue.Depth {
	t.Helper()
	depths, err := h.store.Depths(t.Context(), []queue.ID{h.queue(target)})
	if err != nil || len(depths) != 1 {
		t.Fatalf("Depths returned %d and %v, want one and no error", len(depths), err)
	}
	return depths[0]
}

func (h *harness) get(t *testing.T, id string) *queue.Record {
	t.Helper()
	record, err := h.store.Get(t.Context(), h.uid, id)
	if err != nil {
		t.Fatalf("Get(%s): %v", id, err)
	}
	return record
}

// list returns the ids of a listing of one page.
func (h *harness) list(t *testing.T, filter queue.Filter) []string {
	t.Helper()
	page, err := h.store.List(t.Context(), h.uid, filter)
	if err != nil {
		t.Fatalf("List(%+v): %v", filter, err)
	}
	if page.Next != "" {
		t.Errorf("List(%+v) has a next page %q, want none", filter, page.Next)
	}
	var ids []string
	for _, summary := range page.Events {
		ids = append(ids, summary.ID)
	}
	return ids
}

func (h *harness) wantList(t *testing.T, filter queue.Filter, want ...string) {
	t.Helper()
	if got := h.list(t, filter); !slices.Equal(got, want) {
		t.Errorf("List(%+v) returned\n%v, want\n%v", filter, got, want)
	}
}

func attempt(clock *Clock, status int) *queue.Attempt {
	return &queue.Attempt{At: clock.Now(), Status: status, Latency: 12 * time.Millisecond}
}

func done(clock *Clock) queue.Settlement {
	return queue.Settlement{Outcome: queue.Done, Attempt: attempt(clock, 200)}
}

func retry(clock *Clock, after time.Duration) queue.Settlement {
	return queue.Settlement{
		Outcome: queue.Retry, After: after, Reason: "status", Attempt: attempt(clock, 503),
	}
}

// id makes a readable event id of the right form.
func id(digit string) string {
	return strings.Repeat(digit, 32)
}
