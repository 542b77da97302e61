package check_test

import (
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/test/chaos/check"
	"github.com/postern-dev/postern/test/chaos/history"
)

const (
	endpointName = "team/github"
	first        = endpointName + "/first"
	second       = endpointName + "/second"
)

// synthetic is a history made by hand; times are milliseconds.
type synthetic struct{ records []history.Record }

// healthy is a run in which one event of each kind went as it should.
func healthy() *synthetic {
	h := &synthetic{}
	h.add(1, history.Record{Run: &history.Run{
		Scenario: "synthetic", DrainSeconds: 5, RecoverySeconds: 2, Unjudged: []string{"I6", "I7", "I9"},
		Limits: map[string]map[string]float64{"receiver": {history.ValueRSS: 1000}},
	}})
	h.add(1, history.Record{Process: &history.Process{Name: "receiver", PID: 1, Started: true}})
	h.endpoint(2, history.Endpoint{})
	h.send(10, "1")
	h.answer(20, "1", "accepted")
	h.receive(30, "1", first)
	h.receive(30, "1", second)
	h.forge(40, "forged")
	h.refuse(50, "forged", 401)
	return h
}

func (h *synthetic) add(at int64, r history.Record) *history.Record {
	r.At = at * int64(time.Millisecond)
	h.records = append(h.records, r)
	return &h.records[len(h.records)-1]
}

// endpoint adds a version; what the case does not say is as usual.
func (h *synthetic) endpoint(at int64, e history.Endpoint) {
	e.Name = endpointName
	if e.DedupSeconds == 0 {
		e.DedupSeconds = 3600
	}
	if e.Retry == (history.Retry{}) {
		e.Retry = history.Retry{InitialBackoffSeconds: 1, MaxBackoffSeconds: 4, MaxAgeSeconds: 100}
	}
	if e.Targets == nil {
		e.Targets = []history.Target{{Name: "first"}, {Name: "second", Types: []string{"push", "pull.*"}}}
	}
	h.add(at, history.Record{Endpoint: &e})
}

func (h *synthetic) send(at int64, id string) *history.Send {
	return h.add(at, history.Record{Send: &history.Send{
		ID: id, Endpoint: endpointName, Type: "push", Attempt: 1, Body: "sha-" + id,
	}}).Send
}

func (h *synthetic) forge(at int64, id string) { h.send(at, id).Forged = "wrong key" }

func (h *synthetic) answer(at int64, id, status string) *history.Response {
	return h.add(at, history.Record{Response: &history.Response{ID: id, Attempt: 1, Code: 200, Status: status}}).Response
}

func (h *synthetic) refuse(at int64, id string, code int) {
	h.add(at, history.Record{Response: &history.Response{ID: id, Attempt: 1, Code: code}})
}

// event adds one that is sent, accepted and delivered everywhere.
func (h *synthetic) event(at int64, id string) {
	h.send(at, id)
	h.answer(at+1, id, "accepted")
	h.receive(at+2, id, first)
	h.receive(at+2, id, second)
}

// only adds an event for the first target alone, and returns its delivery.
func (h *synthetic) only(at int64, id string) *history.Receive {
	h.send(at, id).Type = "star"
	h.answer(at+1, id, "accepted")
	return h.receive(at+2, id, first)
}

func (h *synthetic) receive(at int64, id, target string) *history.Receive {
	return h.add(at, history.Record{Receive: &history.Receive{
		Target: target, Endpoint: endpointName, ID: id, Attempt: 1, Body: "sha-" + id, Verified: true, Code: 200,
		TookNanos: int64(time.Millisecond),
	}}).Receive
}

// attempt adds a request of a target with its number and what was answered.
func (h *synthetic) attempt(at int64, id string, number, code int) *history.Receive {
	got := h.receive(at, id, first)
	got.Attempt, got.Code = number, code
	return got
}

func (h *synthetic) fault(at int64, n int, phase history.Phase, excuses ...history.Excuse) *history.Fault {
	return h.add(at, history.Record{Fault: &history.Fault{
		N: n, Kind: "kill", Who: "receiver", Phase: phase, Excuses: excuses,
	}}).Fault
}

func (h *synthetic) sample(at int64, name string, value float64) {
	h.add(at, history.Record{Sample: &history.Sample{Process: "receiver", Values: map[string]float64{name: value}}})
}

func (h *synthetic) process(at int64, pid int, started bool) {
	h.add(at, history.Record{Process: &history.Process{Name: "receiver", PID: pid, Started: started}})
}

func (h *synthetic) scrape(at int64, pid int, counts history.Counts) *history.Scrape {
	return h.add(at, history.Record{Scrape: &history.Scrape{
		Process: "receiver", PID: pid, Endpoints: map[string]history.Counts{endpointName: counts},
	}}).Scrape
}

func (h *synthetic) dead(at int64, id, target, reason string) {
	h.add(at, history.Record{Dead: &history.Dead{Target: target, ID: id, Reason: reason}})
}

func (h *synthetic) all() iter.Seq2[history.Record, error] {
	slices.SortStableFunc(h.records, func(a, b history.Record) int { return int(a.At - b.At) })
	return func(yield func(history.Record, error) bool) {
		for _, record := range h.records {
			if !yield(record, nil) {
				return
			}
		}
	}
}

// judge returns the result and fails unless exactly one violation of one
// invariant, with that text in it, was found; empty means none at all.
func (h *synthetic) judge(t *testing.T, invariant check.Invariant, text string) *check.Result {
	t.Helper()
	result, err := check.Check(h.all())
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, verdict := range result.Verdicts {
		for _, violation := range verdict.Violations {
			if verdict.Invariant == invariant && strings.Contains(violation.Message, text) && text != "" {
				found++
				continue
			}
			t.Errorf("%s: unexpected violation %+v", verdict.Invariant, violation)
		}
	}
	if text != "" && found != 1 {
		t.Errorf("%d violations of %s say %q, want one", found, invariant, text)
	}
	return result
}

// story is what happens in a case, and what is wrong with it; empty when
// nothing is.
type story struct {
	name  string
	wrong string
	tell  func(h *synthetic)
}

func judge(t *testing.T, invariant check.Invariant, stories []story) {
	t.Helper()
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			h := healthy()
			s.tell(h)
			h.judge(t, invariant, s.wrong)
		})
	}
}
