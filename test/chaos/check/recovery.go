package check

import (
	"slices"
	"time"

	"github.com/postern-dev/postern/test/chaos/history"
)

// fresh is how long before the end of a fault what is acknowledged is no part of
// its backlog: it came when all was well again, before the harness noted that.
const fresh = 500 * time.Millisecond

// backlog is what was acknowledged and not yet delivered when a fault ended.
type backlog struct {
	// events counts those that were delivered since; the first was firstID.
	events  int
	first   int64
	firstID string
	// due is until when the first of them had to be delivered.
	due int64
	// tried is when the last of them was tried for the first time since the end.
	tried int64
}

// recoveries sum up the backlogs of all faults.
type recoveries struct {
	first, tried *distribution
	// overtaken counts those that a next fault kept from being judged.
	overtaken int
}

// healed notes that a fault ended.
func (c *checker) healed(i int, at int64) {
	w := &c.windows[i]
	if slices.Contains(w.Excuses, history.ExcuseDuplicates) {
		c.doubt.ended = at
		if w.Phase == history.Begin {
			c.doubt.open--
		}
	}
	w.end = at
	c.healings = append(c.healings, int32(i))
	if w.AllowSeconds > 0 {
		c.allowances = append(c.allowances, int32(i))
	}
}

// progressed notes a delivery, before which the backlog was not empty.
func (c *checker) progressed(at int64) {
	if c.live.clear > 0 {
		c.live.clear = max(c.live.clear, at)
	}
}

// drained notes the first delivery of an event at a target: it was in the
// backlog of every fault that ended since its sender was answered.
func (c *checker) drained(e *event, d *delivery, r *history.Record) {
	if e.acked == 0 {
		return
	}
	recovery := seconds(c.result.Run.RecoverySeconds)
	for w := range c.healedSince(e.acked+int64(fresh), r.Receive.Target) {
		due := c.lawful(w, e, d, r.Receive.Target) + recovery
		if w.backlog.events == 0 {
			w.backlog.first, w.backlog.firstID, w.backlog.due = r.At, e.id, due
		}
		w.backlog.events++
		w.backlog.due = min(w.backlog.due, due)
	}
}

// lawful is until when the event may have waited, whatever a fault did that is
// over: for its back-off, if it was refused before, and for what is allowed after
// a fault that was there while somebody may have had the event in hand.
func (c *checker) lawful(w *window, e *event, d *delivery, target string) int64 {
	until, since := w.end, e.acked
	if d.attempts > 0 {
		v, _ := e.endpoint.latest()
		since = max(since, d.ended)
		until = max(until, d.ended+v.Retry.MaxBackoffSeconds*int64(time.Second))
	}
	for _, i := range slices.Backward(c.allowances) {
		v := &c.windows[i]
		if v.end < since {
			break
		}
		if v.end <= w.end && v.concerns(target) {
			until = max(until, v.end+seconds(v.AllowSeconds))
		}
	}
	return until
}

func seconds(s float64) int64 { return int64(s * float64(time.Second)) }

// retried notes an attempt of an event that no attempt before has delivered.
func (c *checker) retried(e *event, d *delivery, r *history.Record) {
	if e.acked == 0 {
		return
	}
	for w := range c.healedSince(max(e.acked+int64(fresh), d.began), r.Receive.Target) {
		w.backlog.tried = max(w.backlog.tried, r.Began())
	}
}

// healedSince yields the faults of a target that ended at a moment or later.
func (c *checker) healedSince(from int64, target string) func(func(*window) bool) {
	return func(yield func(*window) bool) {
		for _, i := range slices.Backward(c.healings) {
			w := &c.windows[i]
			if w.end < from || w.concerns(target) && !yield(w) {
				return
			}
		}
	}
}

// concerns tells whether the fault is one of the target, or of all.
func (w *window) concerns(target string) bool {
	return len(w.Targets) == 0 || slices.Contains(w.Targets, target)
}

// judgeRecoveries is I6 for every fault that ended with a backlog: the first of
// it must be delivered soon. What a next fault holds up is that one's to answer
// for; the last fault of a run, and those before a lull, have none.
func (c *checker) judgeRecoveries() {
	limited, judged := c.result.Run.RecoverySeconds > 0, 0
	for i := range c.windows {
		w := &c.windows[i]
		if w.backlog.events == 0 {
			continue
		}
		took, late := time.Duration(w.backlog.first-w.end), limited && w.backlog.first > w.backlog.due
		if late && c.overtaken(w) {
			c.recovered.overtaken++
			continue
		}
		c.recovered.first.add(took)
		c.recovered.tried.add(time.Duration(max(w.backlog.tried-w.end, 0)))
		if !limited {
			continue
		}
		judged++
		c.judged(Liveness)
		if late {
			c.violate(Liveness, Violation{ID: w.backlog.firstID, Target: w.Who, At: w.end},
				"with %d in the backlog, the first delivery after %s came %v later, not within %v",
				w.backlog.events, w.Kind, took, time.Duration(w.backlog.due-w.end))
		}
	}
	if limited && judged == 0 && len(c.windows) > 0 && c.claims(Liveness) {
		c.violate(Liveness, Violation{}, "recovery was judged over nothing: no fault ended with a backlog")
	}
}

// overtaken tells whether another fault was going on before the time was over
// in which one had to be recovered from.
func (c *checker) overtaken(w *window) bool {
	for i := range c.windows {
		other := &c.windows[i]
		if other.N != w.N && other.begin <= w.backlog.due && other.end > w.end && other.hinders(w) {
			return true
		}
	}
	return false
}

// hinders tells whether the fault can keep back what the other one held up.
func (w *window) hinders(other *window) bool {
	return len(w.Targets) == 0 || slices.ContainsFunc(other.Targets, w.concerns)
}
