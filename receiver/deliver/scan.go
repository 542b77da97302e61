package deliver

import (
	"context"
	"time"

	"github.com/postern-dev/postern/receiver/deliver/policy"
	"github.com/postern-dev/postern/receiver/queue"
)

const (
	// scanBatch is how many queues one question for depths names.
	scanBatch = 128
	// followInterval is how often the store is asked about queues that hold
	// something, so that people who watch an outage see it grow and end.
	followInterval = 2 * time.Second
)

// scanLoop asks the store about every queue now and then, more often about
// those that hold something, and about new ones at once: what a replica that
// died left behind is found here.
func (e *Engine) scanLoop(ctx context.Context) {
	timer := time.NewTimer(e.scanWait())
	defer timer.Stop()
	follow := time.NewTicker(followInterval)
	defer follow.Stop()
	var again <-chan time.Time
	for failures := 0; ; {
		which := (*lane).unmeasured
		select {
		case <-ctx.Done():
			return
		case <-again:
		case <-timer.C:
			which = (*lane).every
			timer.Reset(e.scanWait())
		case <-follow.C:
			which = (*lane).holding
		case <-e.scanSoon:
		}
		again = nil
		if e.scan(ctx, which) {
			failures = 0
			continue
		}
		failures++
		again = time.After(outageWait(failures, e.opts.Rand()))
	}
}

// scanWait is jittered, so that replicas do not ask in step.
func (e *Engine) scanWait() time.Duration {
	return time.Duration((0.5 + e.opts.Rand()) * float64(e.opts.RescanInterval))
}

// scan asks about the lanes that which picks. Those that the store does not tell
// about are asked about again soon.
func (e *Engine) scan(ctx context.Context, which func(*lane) bool) (ok bool) {
	return partwise(e, e.scanned(which), func(id queue.ID) string { return id.EndpointUID }, scanBatch,
		func(batch []queue.ID) error {
			depths, err := e.depths(ctx, batch)
			for i, id := range batch {
				if failure := queue.FailureOf(err, id); failure != nil {
					e.storeFailed(failure, id.EndpointUID)
					e.unmeasured(id)
					continue
				}
				e.storeAnswered(id.EndpointUID)
				e.measured(id, depths[i])
			}
			return err
		})
}

// unmeasured has the store asked about a lane again.
func (e *Engine) unmeasured(id queue.ID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if l := e.lanes[id]; l != nil {
		l.measured = false
	}
}

func (e *Engine) scanned(which func(*lane) bool) []queue.ID {
	e.mu.Lock()
	defer e.mu.Unlock()
	var ids []queue.ID
	for id, l := range e.lanes {
		if which(l) {
			ids = append(ids, id)
		}
	}
	return ids
}

// measured plans the lane's next claim by what the store holds.
func (e *Engine) measured(id queue.ID, depth queue.Depth) {
	e.mu.Lock()
	l := e.lanes[id]
	if l == nil {
		e.mu.Unlock()
		return
	}
	now := time.Now()
	l.measured, l.pending, l.dead = true, depth.Pending, depth.Dead
	if !depth.NextDue.IsZero() {
		if !depth.NextDue.After(now) {
			l.behind = true
		}
		e.noteDue(l, depth.NextDue)
	}
	if l.breaker.Unreached() {
		// Nobody tries to connect for events that are not there, or not due.
		l.due = depth.NextDue
		e.retime(l)
	}
	if e.mustSweep(l, depth, now) {
		e.startSweep(l)
	}
	maxAge := time.Duration(l.spec.endpoint.DeadMaxAgeSeconds) * time.Second
	if maxAge > 0 && !depth.OldestDead.IsZero() && now.Sub(depth.OldestDead) >= maxAge && !l.expiring {
		l.expiring = true
		e.spawn(func() { e.expireDead(l, maxAge) })
	}
	if limit := e.longestWait(l); depth.LastDue.After(now.Add(limit)) {
		e.spawn(func() { e.hasten(id, limit) })
	}
	e.mu.Unlock()
	e.tell(l, func(o Observer) { o.Measured(l.ref, depth) })
}

// scheduleSlack is how much later than its schedule says an event may be due.
const scheduleSlack = 2 * time.Minute

// longestWait is how far ahead an event of the lane can be due. What is due
// later was put there while the store's clock was ahead, or by a longer back-off
// that is not the endpoint's any more.
func (e *Engine) longestWait(l *lane) time.Duration {
	return time.Duration(l.spec.endpoint.Retry.MaxBackoffSeconds)*time.Second + e.opts.Lease + scheduleSlack
}

func (e *Engine) hasten(id queue.ID, limit time.Duration) {
	ctx, cancel := context.WithTimeout(e.root, storeTimeout)
	defer cancel()
	if err := e.opts.Worker.Hasten(ctx, id, limit, min(limit, e.opts.Lease)); err != nil {
		e.storeFailed(err, id.EndpointUID)
		return
	}
	e.Wake(id)
}

// expireDead gives up the dead letters of a lane that are too old.
func (e *Engine) expireDead(l *lane, maxAge time.Duration) {
	ctx, cancel := context.WithTimeout(e.root, storeTimeout)
	defer cancel()
	count, err := e.opts.Worker.ExpireDead(ctx, l.id, maxAge)
	e.mu.Lock()
	l.expiring = false
	e.mu.Unlock()
	if count > 0 {
		e.opts.Logger.Info("Dead letters were given up because of their age", "count", count,
			"endpoint", l.ref.Namespace+"/"+l.ref.Endpoint, "target", l.ref.Target)
		e.tell(l, func(o Observer) { o.DeadExpired(l.ref, count) })
	}
	if err != nil {
		e.storeFailed(err, l.id.EndpointUID)
	}
}

// mustSweep tells whether events of a lane that delivers nothing are too old.
// While an endpoint is suspended its events are left alone.
func (e *Engine) mustSweep(l *lane, depth queue.Depth, now time.Time) bool {
	if depth.Oldest.IsZero() || l.open() || l.spec.endpoint.Suspend || l.claiming || e.phase != running {
		return false
	}
	return policy.Expired(l.spec.endpoint.Retry, now.Sub(depth.Oldest))
}
