package traffic_test

import (
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/deliver"
	"github.com/postern-dev/postern/receiver/event"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/traffic"
)

var (
	github = &route.Endpoint{UID: "uid-1", Namespace: "ci", Name: "github"}
	stripe = &route.Endpoint{UID: "uid-2", Namespace: "pay", Name: "stripe"}
)

type clock struct{ now time.Time }

func newCounter() (*traffic.Counter, *clock) {
	c := &clock{now: time.Date(2026, 3, 14, 15, 0, 0, 0, time.UTC)}
	return traffic.New(func() time.Time { return c.now }), c
}

func delivered(counter *traffic.Counter, c *clock, took time.Duration) {
	counter.Attempted(deliver.Report{
		Ref:    deliver.Ref{Namespace: "ci", Endpoint: "github", Target: "builder"},
		Result: deliver.ResultDelivered,
		Event:  &event.Event{ReceivedAt: c.now.Add(-took)},
	})
}

func TestCounts(t *testing.T) {
	t.Parallel()
	counter, c := newCounter()
	builder := deliver.Ref{Namespace: "ci", Endpoint: "github", Target: "builder"}
	audit := deliver.Ref{Namespace: "ci", Endpoint: "github", Target: "audit"}
	counter.Measured(builder, queue.Depth{Pending: 7, Dead: 1})
	counter.Measured(builder, queue.Depth{Pending: 3, Dead: 2})
	counter.Measured(audit, queue.Depth{Pending: 10, Dead: 20})
	counter.Accepted(github)
	c.now = c.now.Add(time.Second)
	counter.Accepted(github)

	told := counter.Of([]*route.Endpoint{stripe, github})
	if len(told) != 2 || told[0].UID != "uid-1" || told[1] != (traffic.Endpoint{UID: "uid-2"}) {
		t.Fatalf("told are %+v", told)
	}
	if got := told[0]; got.Pending != 13 || got.Dead != 22 || !got.LastEventAt.Equal(c.now) || got.DeliveryP99Millis != nil {
		t.Errorf("told is %+v", got)
	}
	counter.Removed(audit)
	if got := counter.Of([]*route.Endpoint{github})[0]; got.Pending != 3 || got.Dead != 2 {
		t.Errorf("without the removed target told is %+v", got)
	}
	counter.Of(nil)
	if got := counter.Of([]*route.Endpoint{github})[0]; got != (traffic.Endpoint{UID: "uid-1"}) {
		t.Errorf("an endpoint that was gone is remembered: %+v", got)
	}
}

func TestP99(t *testing.T) {
	t.Parallel()
	counter, c := newCounter()
	p99 := func() int64 {
		t.Helper()
		got := counter.Of([]*route.Endpoint{github})[0].DeliveryP99Millis
		if got == nil {
			return -1
		}
		return *got
	}
	within := func(got, low, high int64) bool { return got >= low && got <= high }
	for range 980 {
		delivered(counter, c, 10*time.Millisecond)
	}
	for range 20 {
		delivered(counter, c, time.Second)
	}
	if got := p99(); !within(got, 1000, 1230) {
		t.Errorf("p99 is %d ms, want that of the slow 2 %%", got)
	}
	for range 2000 {
		delivered(counter, c, 10*time.Millisecond)
	}
	if got := p99(); !within(got, 10, 13) {
		t.Errorf("p99 is %d ms, want that of the fast 99 %%", got)
	}
	c.now = c.now.Add(59 * time.Minute)
	if got := p99(); got != -1 && !within(got, 10, 13) {
		t.Errorf("p99 after 59 minutes is %d ms", got)
	}
	c.now = c.now.Add(2 * time.Hour)
	delivered(counter, c, 100*time.Hour)
	if got := p99(); got < 100_000 {
		t.Errorf("p99 is %d ms, want more than the last bound", got)
	}
	delivered(counter, c, -time.Second) // a clock that was put back
	c.now = c.now.Add(2 * time.Hour)
	if got := p99(); got != -1 {
		t.Errorf("p99 is %d ms long after the last delivery, want none", got)
	}
	counter.Attempted(deliver.Report{Ref: deliver.Ref{Namespace: "ci", Endpoint: "github"}, Result: deliver.ResultRetry})
	if got := p99(); got != -1 {
		t.Errorf("a failed attempt counts: %d ms", got)
	}
}
