package check

import (
	"math"
	"slices"
	"time"

	"github.com/postern-dev/postern/test/chaos/history"
)

// window is the time of one fault.
type window struct {
	history.Fault
	begin int64
	// end is the far future while the fault lasts.
	end     int64
	backlog backlog
	// ended counts the deliveries that the end was blamed for.
	ended int
}

// doubt is when a fault may have kept an answer from whom it was for.
type doubt struct {
	open  int
	ended int64
}

// doubtful tells whether such a fault has been going on since from.
func (c *checker) doubtful(from int64) bool { return c.doubt.open > 0 || c.doubt.ended >= from }

func (c *checker) observeFault(at int64, f *history.Fault) {
	switch f.Phase {
	case history.Begin:
		if slices.Contains(f.Excuses, history.ExcuseDuplicates) {
			c.doubt.open++
		}
		c.open[f.N] = len(c.windows)
		c.windows = append(c.windows, window{Fault: *f, begin: at, end: math.MaxInt64})
	case history.Point:
		c.windows = append(c.windows, window{Fault: *f, begin: at, end: at})
		c.healed(len(c.windows)-1, at)
	case history.End:
		if i, ok := c.open[f.N]; ok {
			delete(c.open, f.N)
			c.healed(i, at)
		}
	}
}

// excused counts the faults of that kind at that target that were going on at
// some moment of from..to.
func (c *checker) excused(excuse history.Excuse, target string, from, to int64) int {
	count := 0
	for i := range c.windows {
		w := &c.windows[i]
		if w.begin <= to && w.end >= from && w.may(excuse, target) {
			count++
		}
	}
	return count
}

// blame finds a fault for a delivery that began at from and was made again at
// to. Ends of faults excuse so many deliveries and no more.
func (c *checker) blame(target string, from, to int64) bool {
	ending := -1
	for i := range c.windows {
		w := &c.windows[i]
		if w.begin > to || w.end < from || !w.may(history.ExcuseDuplicates, target) {
			continue
		}
		if !w.AtBegin || from <= w.begin+int64(edge) {
			return true
		}
		if w.end <= to && w.ended < w.AtEnd {
			ending = i
		}
	}
	if ending < 0 {
		return false
	}
	c.windows[ending].ended++
	return true
}

// edge is how much later than its record a fault may begin.
const edge = 500 * time.Millisecond

func (w *window) may(excuse history.Excuse, target string) bool {
	return slices.Contains(w.Excuses, excuse) && (len(w.Targets) == 0 || slices.Contains(w.Targets, target))
}
