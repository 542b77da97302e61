package check

import (
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

// judgeLiveness is I6.
func (c *checker) judgeLiveness() {
	run := c.result.Run
	quiet := c.live.busy
	if n := len(c.healings); n > 0 && len(c.open) == 0 {
		quiet = max(quiet, c.windows[c.healings[n-1]].end)
	}
	c.judgeRecoveries()
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
