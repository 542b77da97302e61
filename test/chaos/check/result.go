package check

import (
	"fmt"

	"github.com/postern-dev/postern/test/chaos/history"
)

// violationsKept bounds the violations of one invariant that are told in full.
const violationsKept = 50

// Result is the judgement of one history.
type Result struct {
	Run      history.Run
	Verdicts []Verdict
	Figures  Figures
}

// OK tells whether every invariant holds.
func (r *Result) OK() bool {
	for _, verdict := range r.Verdicts {
		if !verdict.OK() {
			return false
		}
	}
	return true
}

// Verdict returns that of one invariant.
func (r *Result) Verdict(invariant Invariant) *Verdict {
	for i := range r.Verdicts {
		if r.Verdicts[i].Invariant == invariant {
			return &r.Verdicts[i]
		}
	}
	return nil
}

// Invariant is the short name of one.
type Invariant string

// Invariants.
const (
	Durability   Invariant = "I1"
	Authenticity Invariant = "I2"
	Duplicates   Invariant = "I3"
	Phantoms     Invariant = "I4"
	Schedule     Invariant = "I5"
	Liveness     Invariant = "I6"
	Bounds       Invariant = "I7"
	Metrics      Invariant = "I9"
)

var titles = []struct {
	invariant Invariant
	title     string
}{
	{Durability, "acknowledged events reach every target"},
	{Authenticity, "nothing unverified is delivered"},
	{Duplicates, "duplicates only inside declared fault windows"},
	{Phantoms, "nothing arrives that was not sent there"},
	{Schedule, "retries keep to their schedule"},
	{Liveness, "what waits goes on after every fault"},
	{Bounds, "memory, disk and descriptors stay bounded"},
	{Metrics, "counters agree with the history"},
}

// Verdict is the judgement of one invariant.
type Verdict struct {
	Invariant Invariant
	Title     string
	// Checked counts what was judged. A verdict over nothing proves nothing: it is
	// a violation, unless the run does not claim the invariant.
	Checked int
	// Count is the number of violations; the first of them are in Violations.
	Count      int
	Violations []Violation
}

// OK tells whether nothing violates the invariant.
func (v *Verdict) OK() bool { return v.Count == 0 }

// Violation is one thing that must not happen.
type Violation struct {
	// ID is the sender's id of the event, empty when it is about none.
	ID string
	// Target is namespace/endpoint/target, or the process it is about.
	Target string
	// At is when, on the clock of [history.Record.At]; 0 when it has no moment.
	At      int64
	Message string
}

func (c *checker) violate(invariant Invariant, v Violation, format string, args ...any) {
	verdict := c.result.Verdict(invariant)
	verdict.Count++
	if len(verdict.Violations) < violationsKept {
		v.Message = fmt.Sprintf(format, args...)
		verdict.Violations = append(verdict.Violations, v)
	}
}

func (c *checker) judged(invariant Invariant) { c.result.Verdict(invariant).Checked++ }

// Invariants are all that are judged.
func Invariants() []Invariant {
	var all []Invariant
	for _, entry := range titles {
		all = append(all, entry.invariant)
	}
	return all
}
