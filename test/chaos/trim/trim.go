// Package trim cuts a recorded history down to what one judgement of it rests
// on, so that a run of a million events that went wrong becomes a case of a few
// hundred lines that the checker is tested with from then on.
//
// It imports check and history.
package trim

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/postern-dev/postern/test/chaos/check"
	"github.com/postern-dev/postern/test/chaos/history"
)

// What says what to keep.
type What struct {
	// Events are senders' ids; empty means those of the first violations.
	Events []string
	// Invariant narrows the violations to those of one; empty means all.
	Invariant check.Invariant
}

const (
	// violationsKept bounds the violations of one invariant that are kept: more than
	// the end of a pause excuses where few attempts are in flight.
	violationsKept = 8
	// recordsKept bounds a case: it is read by people.
	recordsKept = 3000
)

// Cut returns the records of a folder that the judgement of some events rests
// on, in their order, and the judgement of them. It fails when the cut history
// is not judged as the whole one is: then more than these records matters.
func Cut(folder string, what What) ([]history.Record, *check.Result, error) {
	whole, err := check.Check(history.Read(folder))
	if err != nil {
		return nil, nil, err
	}
	c := newCut(whole, what)
	for _, pass := range []func(*history.Record){c.measure, c.keep} {
		for record, err := range history.Read(folder) {
			if err != nil {
				return nil, nil, err
			}
			pass(&record)
		}
	}
	for id, found := range c.events {
		if !found {
			return nil, nil, fmt.Errorf("the history has no event %q", id)
		}
	}
	switch {
	case !c.run:
		return nil, nil, errors.New("the history has no run")
	case len(c.kept) > recordsKept:
		return nil, nil, fmt.Errorf("%d records are left, more than %d: name fewer events, or record a run at a low -rate",
			len(c.kept), recordsKept)
	}
	cut, err := c.judge()
	if err != nil {
		return nil, nil, err
	}
	return c.kept, cut, c.compare(whole, cut)
}

type span struct{ from, to int64 }

// cut is what is kept and why.
type cut struct {
	// events are those to keep, and whether the history has them.
	events map[string]bool
	// wanted are the invariants whose violations must be kept; moments the times
	// of samples that violate one.
	wanted  []check.Invariant
	moments map[int64]bool
	// all keeps every record, pending the depths of the backlog.
	all, pending bool

	run       bool
	from, to  int64
	endpoints map[string]bool
	// faults are the times of each by its number.
	faults map[int]*span
	// depth is the last one kept.
	depth map[string]float64
	kept  []history.Record
}

func newCut(whole *check.Result, what What) *cut {
	c := &cut{
		events: map[string]bool{}, moments: map[int64]bool{}, endpoints: map[string]bool{}, faults: map[int]*span{},
		depth: map[string]float64{},
	}
	for _, id := range what.Events {
		c.events[id] = false
	}
	for i := range whole.Verdicts {
		verdict := &whole.Verdicts[i]
		if what.Invariant != "" && verdict.Invariant != what.Invariant {
			continue
		}
		kept := 0
		for _, violation := range verdict.Violations {
			if kept < violationsKept && (len(what.Events) == 0 || c.about(violation.ID)) {
				kept++
				c.want(verdict.Invariant, violation)
			}
		}
	}
	return c
}

// want keeps what a violation is about.
func (c *cut) want(invariant check.Invariant, violation check.Violation) {
	if !slices.Contains(c.wanted, invariant) {
		c.wanted = append(c.wanted, invariant)
	}
	switch {
	case violation.ID != "":
		c.events[violation.ID] = false
	case invariant == check.Bounds:
		c.moments[violation.At] = true
	case invariant == check.Liveness:
		c.pending = true
	default:
		c.all = true // counters are over all events
	}
}

// measure finds the times that the events span, and the ends of faults.
func (c *cut) measure(r *history.Record) {
	if c.about(r.Sender()) {
		c.events[r.Sender()] = true
	}
	if r.Send != nil && c.about(r.Send.ID) {
		c.endpoints[r.Send.Endpoint] = true
	}
	if r.Receive != nil && c.about(r.Receive.ID) {
		c.endpoints[r.Receive.Endpoint] = true
	}
	if r.Fault != nil {
		if c.faults[r.Fault.N] == nil {
			c.faults[r.Fault.N] = &span{from: r.At}
		}
		c.faults[r.Fault.N].to = r.At
	}
	if !c.about(r.Sender()) && !c.moments[r.At] && !(c.pending && r.Sample != nil) {
		return
	}
	if c.from == 0 {
		c.from = r.Began()
	}
	c.to = r.At
}

// keep keeps a record or not.
func (c *cut) keep(r *history.Record) {
	switch {
	case r.Run != nil:
		c.run = true
	case r.Endpoint != nil && c.endpoints[r.Endpoint.Name]:
	case r.Fault != nil && c.meanwhile(c.faults[r.Fault.N]):
	case c.about(r.Sender()):
	case r.Sample != nil && c.sampled(r):
	case c.all && r.Sample == nil:
	default:
		return
	}
	c.kept = append(c.kept, *r)
}

// about tells whether an event is one to keep.
func (c *cut) about(id string) bool {
	_, wanted := c.events[id]
	return wanted
}

// meanwhile tells whether something happened while the events were there.
func (c *cut) meanwhile(s *span) bool { return s.from <= c.to && s.to >= c.from }

// sampled tells whether a sample matters, and reduces it to what does.
func (c *cut) sampled(r *history.Record) bool {
	values := maps.Clone(r.Sample.Values)
	depth, deep := values[history.ValuePending]
	maps.DeleteFunc(values, func(name string, _ float64) bool {
		return !c.moments[r.At] || name == history.ValuePending || name == history.ValueReady
	})
	if deep && c.pending && c.turns(r.Sample.Process, depth, r.At) {
		values[history.ValuePending] = depth
	}
	r.Sample = &history.Sample{Process: r.Sample.Process, Values: values}
	return len(values) > 0
}

// turns tells whether a backlog begins or ends with a depth, or is the last.
func (c *cut) turns(process string, depth float64, at int64) bool {
	before, known := c.depth[process]
	c.depth[process] = depth
	return !known || (before > 0) != (depth > 0) || at == c.to
}

// judge judges what is kept, of which nothing else is claimed.
func (c *cut) judge() (*check.Result, error) {
	at := slices.IndexFunc(c.kept, func(r history.Record) bool { return r.Run != nil })
	run := *c.kept[at].Run
	run.Limits, run.Unjudged = limited(run.Limits, len(c.moments) > 0), nil
	c.kept[at].Run = &run
	result, err := check.Check(records(c.kept))
	if err != nil {
		return nil, err
	}
	if !result.Verdict(check.Liveness).OK() && !slices.Contains(c.wanted, check.Liveness) {
		run.RecoverySeconds = 0 // of the backlogs too little is left
	}
	for _, verdict := range result.Verdicts {
		if verdict.Checked == 0 {
			run.Unjudged = append(run.Unjudged, string(verdict.Invariant))
		}
	}
	return check.Check(records(c.kept))
}

// limited keeps limits only where samples are kept.
func limited(limits map[string]map[string]float64, kept bool) map[string]map[string]float64 {
	if kept {
		return limits
	}
	return nil
}

// compare wants that what is kept violates what it is kept for, and no more.
func (c *cut) compare(whole, cut *check.Result) error {
	for _, invariant := range c.wanted {
		if cut.Verdict(invariant).OK() {
			return fmt.Errorf("%s does not show in what is left: more than these events matters", invariant)
		}
	}
	for _, verdict := range cut.Verdicts {
		if !verdict.OK() && whole.Verdict(verdict.Invariant).OK() {
			return fmt.Errorf("%s is violated only in what is left, by %v: more than these events matters",
				verdict.Invariant, verdict.Violations)
		}
	}
	return nil
}

func records(kept []history.Record) iter.Seq2[history.Record, error] {
	return func(yield func(history.Record, error) bool) {
		for _, record := range kept {
			if !yield(record, nil) {
				return
			}
		}
	}
}
