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
}

// Reserve asks for room to deliver an event of the given size from memory. It
// refuses when memory is short or when none of the queues could deliver it
// soon: then the event is admitted without a lease and [Engine.Wake] called.
func (e *Engine) Reserve(queues []queue.ID, size int64) (*Reservation, bool) { return nil, false }

// HandOver gives the engine an event that the store leased to it.
func (r *Reservation) HandOver(ev *event.Event, leases []queue.Lease) {}

// Cancel gives the room back: the event was refused, a duplicate, or unknown.
func (r *Reservation) Cancel() {}

// Wake tells the engine that events without a lease were admitted to queues.
func (e *Engine) Wake(queues ...queue.ID) {}
