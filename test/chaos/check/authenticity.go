package check

import (
	"net/http"
	"slices"
	"strings"

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
	c.judgePlace(e, t, got, about)
	d, position := c.deliveryOf(i, t)
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

// judgePlace is I4 for an event that was sent.
func (c *checker) judgePlace(e *event, t *target, got *history.Receive, about Violation) {
	if t.endpoint != e.endpoint.name || got.Endpoint != e.endpoint.name {
		c.violate(Phantoms, about, "sent to %s, delivered for %s to a target of %s",
			e.endpoint.name, got.Endpoint, t.endpoint)
		return
	}
	versions := e.endpoint.during(e.firstSend, about.At)
	for i := range versions {
		if slices.Contains(versions[i].matching(e.eventType), got.Target) {
			return
		}
	}
	names := make([]string, 0, len(versions))
	for i := range versions {
		names = append(names, versions[i].matching(e.eventType)...)
	}
	c.violate(Phantoms, about, "events of type %q are for [%s]", e.eventType, strings.Join(names, " "))
}
