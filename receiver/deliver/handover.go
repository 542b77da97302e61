package deliver

import (
	"time"

	"github.com/postern-dev/postern/receiver/event"
	"github.com/postern-dev/postern/receiver/queue"
)

// Reservation is room in memory for one event that is about to be admitted.
// Exactly one of HandOver and Cancel must be called; further calls do nothing.
type Reservation struct {
	// LeaseFor is the lease to ask for in the admission.
	LeaseFor time.Duration

	engine  *Engine
	memory  *memory
	expires time.Time
}

// Reserve asks for room to deliver an event of the given size from memory. It
// refuses when memory is short or when none of the queues could deliver it
// soon: then the event is admitted without a lease and [Engine.Wake] called.
func (e *Engine) Reserve(queues []queue.ID, size int64) (*Reservation, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.phase != running {
		return nil, false
	}
	var owner *tenant
	for _, id := range queues {
		l := e.lanes[id]
		if l == nil || !l.accepts() {
			continue
		}
		owner = l.tenant
	}
	size += inHand
	if owner == nil || size > e.room(owner) {
		return nil, false
	}
	return &Reservation{
		LeaseFor: e.opts.Lease,
		engine:   e,
		memory:   e.take(owner, size, 1),
		expires:  time.Now().Add(e.opts.Lease),
	}, true
}

// HandOver gives the engine an event that the store leased to it. The lease of
// a target that cannot take it now is given back, so that the event is there
// as soon as the target is.
func (r *Reservation) HandOver(ev *event.Event, leases []queue.Lease) {
	e := r.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	if r.memory == nil {
		return
	}
	for _, lease := range leases {
		l := e.lanes[lease.Queue]
		if l == nil {
			continue
		}
		if e.phase == stopped {
			continue
		}
		r.memory.users++
		j := &job{lane: l, spec: l.spec, event: ev, lease: lease, expires: r.expires, memory: r.memory, handed: true}
		if !l.open() || (e.phase != running && e.phase != draining) {
			e.release(l, []*job{j})
			continue
		}
		e.hold(j)
		l.push(j)
		e.enqueue(l)
	}
	e.leave(r.memory)
	r.memory = nil
	e.dispatch()
}

// Cancel gives the room back: the event was refused or a duplicate, or whether
// it was admitted is unknown. Then doubtful are the leases that it would have,
// and they are given back too.
func (r *Reservation) Cancel(doubtful ...queue.Lease) {
	r.engine.mu.Lock()
	defer r.engine.mu.Unlock()
	if r.memory == nil {
		return
	}
	r.engine.leave(r.memory)
	r.memory = nil
	r.engine.doubtful(doubtful)
}

// Wake tells the engine that events without a lease were, or may have been,
// admitted to queues, or that events were made due again.
func (e *Engine) Wake(queues ...queue.ID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	for _, id := range queues {
		if l := e.lanes[id]; l != nil {
			l.behind = true
			e.noteDue(l, now)
		}
	}
}
