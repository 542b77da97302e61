package check

import (
	"slices"
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

// acceptance is one beyond the first of an event within its window.
type acceptance struct {
	event int32
	at    int64
	times uint8
}

// observeAccepted notes what the sender is told.
func (c *checker) observeAccepted(i int32, at int64) {
	e := &c.events[i]
	v, ok := e.endpoint.latest()
	if e.accepted < 255 {
		e.accepted++
	}
	window := v.DedupSeconds * int64(time.Second)
	if ok && window > 0 && e.accepted > 1 && at-e.firstSend < window && !e.endpoint.removedAfter(e.firstSend) {
		c.accepted = append(c.accepted, acceptance{event: i, at: at, times: e.accepted})
	}
}

// judgeAccepted is I3 for what the sender is told: one event is accepted once in
// a window, unless its mark gave way meanwhile.
func (c *checker) judgeAccepted() {
	for _, a := range c.accepted {
		e := &c.events[a.event]
		if !c.marksGaveWay(e.firstSend, a.at) {
			c.violate(Duplicates, Violation{ID: e.id, At: a.at}, "accepted %d times within the window", a.times)
		}
	}
}

// span is the time in which something happened.
type span struct{ from, to int64 }

// toldLate is how long the loss of a mark may be before the metrics tell it: a
// receiver counts once in five seconds.
const toldLate = 6 * time.Second

// observeScrape notes that marks gave way since the last scrape of the process.
func (c *checker) observeScrape(at int64, s *history.Scrape) {
	before, since := c.truth.dropped(s)
	c.truth.scrape(at, s)
	if s.MarksDropped > before {
		c.forgot = append(c.forgot, span{from: since - int64(toldLate), to: at})
	}
}

// marksGaveWay tells whether that may have happened between two moments.
func (c *checker) marksGaveWay(from, to int64) bool {
	return slices.ContainsFunc(c.forgot, func(s span) bool { return s.from <= to && s.to >= from })
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
		if blamed && all >= int(r.extra) || r.invariant == Duplicates && c.forgotten(r, e) {
			continue
		}
		if r.invariant == Schedule && twoEvents(r, e) {
			continue
		}
		if r.invariant == Duplicates {
			c.measures.outside++
		}
		c.violate(r.invariant, Violation{ID: e.id, Target: name, At: r.to},
			"%s %v after the time before, and nothing explains it", r.message, time.Duration(r.to-r.from))
	}
}

// twoEvents tells whether the event was sent again to another endpoint of the same
// name. It is another event there. A replica that has not heard of the removal goes
// on with the first.
func twoEvents(r *repeat, e *event) bool {
	return e.endpoint.removedBetween(r.from, r.to) || e.sends > 1 && e.endpoint.removedAfter(e.firstSend)
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
func (c *checker) forgotten(r *repeat, e *event) bool {
	if e.endpoint.removedAfter(r.first) || c.marksGaveWay(r.first, r.to) {
		return r.extra < e.sends
	}
	v, _ := e.endpoint.latest()
	return r.extra < e.sends && r.to-r.first >= v.DedupSeconds*int64(time.Second)
}
