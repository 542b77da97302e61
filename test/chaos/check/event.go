package check

import (
	"math"
	"net/http"
	"slices"

	"github.com/postern-dev/postern/test/chaos/history"
)

// event is one event of a sender; times are on the clock of [history.Record.At].
type event struct {
	id        string
	endpoint  *endpoint
	eventType string
	// body is the digest of the first request that verifies.
	body      string
	firstSend int64
	lastSend  int64
	// acked is when the first ok was read, else 0.
	acked int64
	// first is the position of the first delivery in the list, -1 for none.
	first int32
	sends int32
	// underWay counts requests that verify and have no answer yet.
	underWay int32
	accepted uint8
	// duplicate is when a request was first answered duplicate, 0 for none.
	duplicate  int64
	ignored    bool
	verifiable bool
	// unknown is set when a request had no answer that tells what became of it.
	unknown bool
}

// shared returns one copy for all events of a type.
func (c *checker) shared(eventType string) string {
	if known, ok := c.types[eventType]; ok {
		return known
	}
	c.types[eventType] = eventType
	return eventType
}

// request is one request of an event.
type request struct {
	event   int32
	attempt int
}

// delivery is an event at a target.
type delivery struct {
	target int32
	// next is the position of the event's next delivery, -1 for none.
	next int32
	// done counts answers of 2xx; attempts all requests.
	done     int32
	attempts int32
	// header is the attempt number that the last request had.
	header int32
	// code is the last answer; ended is when it was given and due the earliest
	// moment of the next attempt.
	code  int16
	gone  bool
	began int64
	ended int64
	due   int64
	// doneBegan is when the last delivery that succeeded began.
	doneBegan int64
	// dead is the reason of the dead letter, empty when it is none.
	dead string
	// discarded tells that the operator gave the dead letter up.
	discarded bool
}

func (c *checker) observeSend(at int64, s *history.Send) {
	i, known := c.index[s.ID]
	if !known {
		i = int32(len(c.events))
		c.index[s.ID] = i
		c.events = append(c.events, event{
			id: s.ID, endpoint: c.endpointOf(s.Endpoint), eventType: c.shared(s.Type), firstSend: at, first: -1,
		})
	}
	e := &c.events[i]
	e.sends++
	e.lastSend = at
	c.measures.requests++
	if !s.Verifiable() {
		c.measures.forged++
		c.forged[request{i, s.Attempt}] = struct{}{}
		return
	}
	e.underWay++
	switch {
	case !e.verifiable:
		e.verifiable, e.body, e.firstSend = true, s.Body, at
	case e.body != s.Body:
		c.bodies[i] = append(c.bodies[i], s.Body)
	}
	c.truth.sent(e.endpoint.name)
}

func (c *checker) observeResponse(at int64, r *history.Response) {
	i, known := c.index[r.ID]
	if !known {
		c.violate(Phantoms, Violation{ID: r.ID, At: at}, "a request was answered that was not sent")
		return
	}
	e := &c.events[i]
	c.live.busy = at
	c.measures.answered(r, at-e.lastSend)
	if _, forged := c.forged[request{i, r.Attempt}]; forged {
		delete(c.forged, request{i, r.Attempt})
		c.judgeForged(at, e, r)
		return
	}
	e.underWay--
	c.truth.answered(e.endpoint.name, r)
	switch {
	case r.Error == history.ErrorRefused:
	case r.Code == 0 || r.Code >= http.StatusInternalServerError:
		e.unknown = true
	case r.Code <= 299 && r.Code >= http.StatusOK:
		c.acknowledged(i, at, r)
	}
	if slices.Contains(c.result.Run.Never, r.Status) {
		c.violate(Liveness, Violation{ID: e.id, At: at}, "refused as %s, which nothing in this run may be", r.Status)
	}
}

// acknowledged notes an ok.
func (c *checker) acknowledged(i int32, at int64, r *history.Response) {
	e := &c.events[i]
	switch r.Status {
	case "accepted":
		c.observeAccepted(i, at)
	case "duplicate":
		if e.duplicate == 0 {
			e.duplicate = at
		}
	case "ignored":
		e.ignored = true
	default:
		c.violate(Durability, Violation{ID: e.id, At: at},
			"answered %d with status %q, which promises nothing known", r.Code, r.Status)
	}
	if e.acked == 0 {
		e.acked = at
	}
}

// deliveryOf returns the delivery of an event at a target, adding it if need be.
func (c *checker) deliveryOf(i int32, t *target) (d *delivery, position int32) {
	last := int32(-1)
	for n := c.events[i].first; n >= 0; n = c.deliveries[n].next {
		if c.deliveries[n].target == t.number {
			return &c.deliveries[n], n
		}
		last = n
	}
	position = int32(len(c.deliveries))
	c.deliveries = append(c.deliveries, delivery{target: t.number, next: -1, due: math.MinInt64})
	if last < 0 {
		c.events[i].first = position
	} else {
		c.deliveries[last].next = position
	}
	return &c.deliveries[position], position
}

// at returns the delivery at a target, nil when there is none.
func (c *checker) at(e *event, target string) *delivery {
	known, ok := c.targets[target]
	if !ok {
		return nil
	}
	for n := e.first; n >= 0; n = c.deliveries[n].next {
		if c.deliveries[n].target == known.number {
			return &c.deliveries[n]
		}
	}
	return nil
}

func (c *checker) observeAdmin(at int64, a *history.Admin) {
	i, known := c.index[a.ID]
	if !known {
		return
	}
	switch a.Action {
	case history.ActionReplay:
		c.live.busy = at
		c.replays[i] = append(c.replays[i], at)
	case history.ActionDiscard:
		d := c.buried(i, a.Target, a.Detail)
		d.discarded = true
	}
}

// buried notes a dead letter.
func (c *checker) buried(i int32, target, reason string) *delivery {
	d, _ := c.deliveryOf(i, c.targetOf(target))
	d.dead = reason
	c.measures.dead++
	c.truth.buried(c.events[i].endpoint.name)
	return d
}

func (c *checker) observeDead(d *history.Dead) {
	i, known := c.index[d.ID]
	if !known {
		c.violate(Phantoms, Violation{ID: d.ID, Target: d.Target}, "a dead letter was never sent")
		return
	}
	if known := c.at(&c.events[i], d.Target); known != nil && known.discarded {
		c.violate(Durability, Violation{ID: d.ID, Target: d.Target}, "discarded, and a dead letter even so")
		return
	}
	c.buried(i, d.Target, d.Reason)
}
