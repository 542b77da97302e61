package deliver

import (
	"context"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
)

// sweepBatch is small, because it is claimed with bodies and without asking
// for room.
const sweepBatch = 8

// startSweep buries the events of a lane whose time is over although nothing
// can be delivered. The caller holds the mutex.
func (e *Engine) startSweep(l *lane) {
	l.claiming = true
	e.retime(l)
	e.spawn(func() {
		for e.sweep(l) {
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		l.claiming = false
		e.retime(l)
	})
}

// sweep claims some events, buries the expired and releases the others. It
// tells whether there may be more: events are claimed about in order of age,
// so that a batch without an expired one is the end.
func (e *Engine) sweep(l *lane) (more bool) {
	deliveries := e.claimFew(l.id)
	found := false
	for _, delivery := range deliveries {
		e.mu.Lock()
		j := &job{lane: l, spec: l.spec, event: delivery.Event, lease: delivery.Lease, unreadable: delivery.Unreadable}
		e.mu.Unlock()
		settlement := queue.Settlement{Outcome: queue.Release}
		if j.expired(time.Now()) {
			found = true
			settlement = *e.bury(j, j.expiry())
		}
		e.settle(j, settlement)
	}
	return found && len(deliveries) == sweepBatch && e.root.Err() == nil
}

func (e *Engine) claimFew(id queue.ID) []queue.Delivery {
	ctx, cancel := context.WithTimeout(e.root, storeTimeout)
	defer cancel()
	deliveries, err := e.opts.Worker.Claim(ctx, id, sweepBatch, e.opts.Lease)
	if err != nil {
		e.storeFailed(err, id.EndpointUID)
	}
	return deliveries
}
