package check

import (
	"slices"
	"strings"
	"time"

	"github.com/postern-dev/postern/test/chaos/history"
)

// underTest begins the names of the processes that are judged.
const underTest = "receiver"

// liveness is what I6 needs.
type liveness struct {
	// busy is when somebody last asked for something: a sender, or an operator.
	busy int64
	// pending is the last depth sampled, clear since when all were zero.
	pending float64
	sampled bool
	clear   int64
	// ready are the processes by what they said last.
	ready map[string]float64
	// waiting are the faults that ended with no delivery since.
	waiting []int
}

// observeSample is I7, and notes the depth for I6.
func (c *checker) observeSample(at int64, s *history.Sample) {
	limits := c.result.Run.Limits[s.Process]
	for name, value := range s.Values {
		c.measures.peak(s.Process, name, value)
		limit, bounded := limits[name]
		if !bounded {
			continue
		}
		c.judged(Bounds)
		if value > limit {
			c.violate(Bounds, Violation{Target: s.Process, At: at}, "%s is %.0f, over its limit of %.0f", name, value, limit)
		}
	}
	if !strings.HasPrefix(s.Process, underTest) {
		return
	}
	if ready, ok := s.Values[history.ValueReady]; ok {
		if c.live.ready == nil {
			c.live.ready = map[string]float64{}
		}
		c.live.ready[s.Process] = ready
	}
	if pending, ok := s.Values[history.ValuePending]; ok {
		c.live.sampled = true
		if c.live.pending > 0 || c.live.clear == 0 {
			c.live.clear = at
		}
		c.live.pending = pending
	}
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
	w.backlog = c.live.pending
	c.live.waiting = append(c.live.waiting, i)
}

// progressed notes a delivery, which may be the first after faults that ended.
func (c *checker) progressed(at int64, target string) {
	if c.live.clear > 0 {
		c.live.clear = max(c.live.clear, at)
	}
	c.live.waiting = slices.DeleteFunc(c.live.waiting, func(i int) bool {
		w := &c.windows[i]
		if len(w.Targets) > 0 && !slices.Contains(w.Targets, target) {
			return false
		}
		w.firstDelivery = at
		return true
	})
}

// judgeLiveness is I6.
func (c *checker) judgeLiveness() {
	run := c.result.Run
	var heal *window
	for i := range c.windows {
		if w := &c.windows[i]; heal == nil || w.end > heal.end {
			heal = w
		}
	}
	quiet := c.live.busy
	if heal != nil && len(c.open) == 0 {
		quiet = max(quiet, heal.end)
		c.judgeRecovery(heal)
	}
	for _, i := range c.open {
		c.violate(Liveness, Violation{Target: c.windows[i].Who, At: c.windows[i].begin},
			"the fault %s has no end in the history", c.windows[i].Kind)
	}
	if c.live.sampled && run.DrainSeconds > 0 {
		c.judged(Liveness)
		took := time.Duration(c.live.clear - quiet)
		switch {
		case c.live.pending > 0:
			c.violate(Liveness, Violation{At: c.last}, "%.0f deliveries are pending at the end, %v after the last fault",
				c.live.pending, time.Duration(c.last-quiet))
		case took.Seconds() > run.DrainSeconds:
			c.violate(Liveness, Violation{At: c.live.clear}, "the backlog lasted %v after the last fault, not %v s",
				took, run.DrainSeconds)
		}
	}
	for process, ready := range c.live.ready {
		c.judged(Liveness)
		if ready == 0 {
			c.violate(Liveness, Violation{Target: process, At: c.last}, "not ready at the end")
		}
	}
}

// judgeRecovery judges how soon deliveries went on after the last fault.
func (c *checker) judgeRecovery(w *window) {
	limit := c.result.Run.RecoverySeconds
	if limit <= 0 || w.backlog == 0 {
		return
	}
	c.judged(Liveness)
	if took := time.Duration(w.firstDelivery - w.end); w.firstDelivery == 0 || took.Seconds() > limit {
		c.violate(Liveness, Violation{Target: w.Who, At: w.end},
			"with %.0f pending, the first delivery after %s came %v later, not within %v s", w.backlog, w.Kind, took, limit)
	}
}
