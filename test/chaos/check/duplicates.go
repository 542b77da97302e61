package check

import (
	"time"

	"github.com/postern-dev/postern/test/chaos/history"
)

// repeat is something between two moments that only a fault excuses.
type repeat struct {
	invariant Invariant
	event     int32
	target    int32
	from      int64
	to        int64
	// extra is how many deliveries the event has had too many, for I3.
	extra   int32
	first   int64
	message string
}

// judgeAccepted is I3 for what the sender is told: one event is accepted once
// in a window, whatever goes wrong.
func (c *checker) judgeAccepted(at int64, e *event) {
	v, ok := e.endpoint.latest()
	if e.accepted < 255 {
		e.accepted++
	}
	window := v.DedupSeconds * int64(time.Second)
	if ok && window > 0 && e.accepted > 1 && at-e.firstSend < window && !e.endpoint.removedAfter(e.firstSend) {
		c.violate(Duplicates, Violation{ID: e.id, At: at}, "accepted %d times within the window", e.accepted)
	}
}

// judgeSwallowed is I3 read the other way: an event that is answered duplicate has
// a first that was accepted. A request whose outcome is unknown may be it.
func (c *checker) judgeSwallowed() {
	for i := range c.events {
		e := &c.events[i]
		if e.duplicate == 0 {
			continue
		}
		c.judged(Duplicates)
		if e.accepted == 0 && !e.ignored && !e.unknown && e.underWay == 0 {
			c.violate(Duplicates, Violation{ID: e.id, At: e.duplicate},
				"answered duplicate, and none of its requests was accepted: a different event was swallowed")
		}
	}
}

// delivered notes a delivery that succeeded.
func (c *checker) delivered(i int32, e *event, d *delivery, r *history.Record) {
	began := r.Began()
	c.judged(Duplicates)
	c.progressed(r.At)
	if d.done == 0 {
		c.drained(e, d, r)
	}
	d.done++
	c.truth.delivered(e.endpoint.name, c.doubtful(began))
	if d.done == 1 {
		c.measures.delivered(began - e.firstSend)
	} else {
		c.measures.repeated++
		c.repeats = append(c.repeats, repeat{
			invariant: Duplicates, event: i, target: d.target, extra: d.done - 1,
			first: e.firstSend, from: d.doneBegan, to: began,
			message: "delivered again",
		})
	}
	d.doneBegan = began
}

// judgeRepeats is I3 and the part of I5 that faults excuse: there must be
// somebody or something to blame between the two moments, and for n deliveries
// too many n of them.
func (c *checker) judgeRepeats() {
	for i := range c.repeats {
		r := &c.repeats[i]
		e, name := &c.events[r.event], c.byNumber[r.target].name
		replays := c.replayed(r)
		all := replays + c.excused(history.ExcuseDuplicates, name, r.first, r.to)
		blamed := replays > 0 || c.blame(name, r.from, r.to)
		if blamed && all >= int(r.extra) || r.invariant == Duplicates && forgotten(r, e) {
			continue
		}
		if r.invariant == Schedule && e.endpoint.removedBetween(r.from, r.to) {
			continue // sent again to another endpoint of the same name, it is another event
		}
		if r.invariant == Duplicates {
			c.measures.outside++
		}
		c.violate(r.invariant, Violation{ID: e.id, Target: name, At: r.to},
			"%s %v after the time before, and nothing explains it", r.message, time.Duration(r.to-r.from))
	}
}

// replayed counts the replays of the event so far.
func (c *checker) replayed(r *repeat) int {
	count := 0
	for _, at := range c.replays[r.event] {
		if at <= r.to {
			count++
		}
	}
	return count
}

// forgotten tells whether the event was sent again while it was not remembered,
// or to another endpoint of the same name.
func forgotten(r *repeat, e *event) bool {
	if e.endpoint.removedAfter(r.first) {
		return r.extra < e.sends
	}
	v, _ := e.endpoint.latest()
	return r.extra < e.sends && r.to-r.first >= v.DedupSeconds*int64(time.Second)
}
