package ingest

import (
	"sync"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
)

// copies has the copies of an event that are here at the same time wait for
// the first of them, so that the store is asked and the target called by one.
type copies struct {
	mu       sync.Mutex
	underWay map[string]*firstCopy
}

// firstCopy is the request that the others wait for. What became of it may be
// read once done is closed.
type firstCopy struct {
	body  []byte
	done  chan struct{}
	reply *answer
	err   error
	// known is the id of the event if its target has it.
	known string
}

// join returns the first copy of an event, and whether that is the caller's with
// this body. Then the caller must end it.
func (c *copies) join(name string, body []byte) (first *firstCopy, leads bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if first, here := c.underWay[name]; here {
		return first, false
	}
	if c.underWay == nil {
		c.underWay = map[string]*firstCopy{}
	}
	first = &firstCopy{body: body, done: make(chan struct{})}
	c.underWay[name] = first
	return first, true
}

func (c *copies) end(name string, first *firstCopy) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.underWay, name)
	close(first.done)
}

// match compares a body with that of the event. The store keeps none of an event
// that was delivered directly before.
func (f *firstCopy) match(body []byte) queue.BodyMatch {
	if f.reply.outcome == OutcomeDuplicate {
		return queue.BodyUnknown
	}
	return queue.MatchBodies(f.body, body)
}

// await answers for a copy with what becomes of the first.
func (h *Handler) await(x *exchange, first *firstCopy) (*answer, error) {
	patience := time.NewTimer(h.CopyTimeout)
	defer patience.Stop()
	select {
	case <-first.done:
	case <-patience.C:
		return nil, &Refusal{Reason: ReasonInFlight}
	case <-x.request.Context().Done():
		return nil, &Refusal{Reason: ReasonInFlight}
	}
	switch {
	case first.err != nil:
		return nil, first.err
	case first.known != "":
		return h.duplicate(x, first.known, first.match(x.body)), nil
	}
	h.countRefused(x, first.reply.status)
	return first.reply, nil
}
