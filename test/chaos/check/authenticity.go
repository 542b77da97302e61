package check

import (
	"net/http"
	"slices"

	"github.com/postern-dev/postern/test/chaos/history"
)

// judgeForged is I2 for what the sender was told.
func (c *checker) judgeForged(at int64, e *event, r *history.Response) {
	c.judged(Authenticity)
	if r.Code >= http.StatusOK && r.Code <= 299 {
		c.violate(Authenticity, Violation{ID: e.id, At: at},
			"a request that does not verify was answered %d %s", r.Code, r.Status)
	}
	if r.Code != 0 {
		c.truth.rejected(e.endpoint.name, r)
	}
}

// observeReceive judges I2, I4 and what I5 says of one request, and notes what
// the other invariants need.
func (c *checker) observeReceive(r *history.Record) {
	got, began := r.Receive, r.Began()
	about := Violation{ID: got.ID, Target: got.Target, At: began}
	c.measures.received(got)
	c.judged(Phantoms)
	i, known := c.index[got.ID]
	if !known {
		c.violate(Phantoms, about, "delivered as %s, but nobody sent it", got.EventID)
		return
	}
	e := &c.events[i]
	c.judgeBelief(i, e, got, about)
	t := c.targetOf(got.Target)
	c.judgePlace(i, t, got, about)
	d, position := c.deliveryOf(i, t)
	if d.discarded {
		c.violate(Phantoms, about, "delivered after it was discarded as a dead letter")
	}
	c.observeAttempt(i, position, r)
	if succeeded(got.Code) {
		c.delivered(i, e, d, r)
	}
	c.afterAttempt(e, d, r)
}

func succeeded(code int) bool { return code >= 200 && code <= 299 }

// judgeBelief is I2 for what a target got.
func (c *checker) judgeBelief(i int32, e *event, got *history.Receive, about Violation) {
	c.judged(Authenticity)
	switch {
	case !e.verifiable:
		c.violate(Authenticity, about, "delivered, but none of its requests verifies")
	case got.Body != e.body && !slices.Contains(c.bodies[i], got.Body):
		c.violate(Authenticity, about, "delivered with body %s, sent was %s", got.Body, e.body)
	case !got.Verified:
		c.violate(Authenticity, about, "delivered as not verified")
	}
}

// judgePlace is I4 for an event that was sent. What looks wrong is judged again
// when all is read: the record of a change comes after the change.
func (c *checker) judgePlace(i int32, t *target, got *history.Receive, about Violation) {
	e := &c.events[i]
	if t.endpoint != e.endpoint.name || got.Endpoint != e.endpoint.name {
		c.violate(Phantoms, about, "sent to %s, delivered for %s to a target of %s",
			e.endpoint.name, got.Endpoint, t.endpoint)
		return
	}
	if !e.mayGo(got.Target, about.At) {
		c.misplaced = append(c.misplaced, misplaced{event: i, about: about})
	}
}

// misplaced is a delivery to a target that no version known so far has.
type misplaced struct {
	event int32
	about Violation
}

func (c *checker) judgeMisplaced() {
	for _, m := range c.misplaced {
		e := &c.events[m.event]
		if !e.mayGo(m.about.Target, m.about.At) {
			c.violate(Phantoms, m.about, "events of type %q are for other targets, by every version since it was sent",
				e.eventType)
		}
	}
}

// mayGo tells whether a version that may have been in force since the event was
// sent has the target for it.
func (e *event) mayGo(target string, at int64) bool {
	versions := e.endpoint.during(e.firstSend, at)
	for i := range versions {
		if slices.Contains(versions[i].matching(e.eventType), target) {
			return true
		}
	}
	return false
}
