package deliver

import (
	"context"
	"time"

	"github.com/postern-dev/postern/receiver/deliver/policy"
	"github.com/postern-dev/postern/receiver/queue"
)

// scanBatch is how many queues one question for depths names.
const scanBatch = 128

// scanLoop asks the store about every queue now and then, and about new ones at
// once: what a replica that died left behind is found here.
func (e *Engine) scanLoop(ctx context.Context) {
	timer := time.NewTimer(e.scanWait())
	defer timer.Stop()
	for {
		everything := false
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			everything = true
			timer.Reset(e.scanWait())
		case <-e.scanSoon:
		}
		for failures := 1; !e.scan(ctx, everything); failures++ {
			if !e.pause(outageWait(failures, e.opts.Rand())) {
				return
			}
		}
	}
}

// scanWait is jittered, so that replicas do not ask in step.
func (e *Engine) scanWait() time.Duration {
	return time.Duration((0.5 + e.opts.Rand()) * float64(e.opts.RescanInterval))
}

// scan asks about every lane, or about those that were never asked about.
func (e *Engine) scan(ctx context.Context, everything bool) (ok bool) {
	ids := e.scanned(everything)
	for len(ids) > 0 {
		batch := ids[:min(scanBatch, len(ids))]
		ids = ids[len(batch):]
		asking, cancel := context.WithTimeout(ctx, storeTimeout)
		depths, err := e.opts.Worker.Depths(asking, batch)
		cancel()
		if err != nil {
			e.storeFailed(err)
			return false
		}
		e.storeAnswered()
		for i, id := range batch {
			e.measured(id, depths[i])
		}
	}
	return true
}

func (e *Engine) scanned(everything bool) []queue.ID {
	e.mu.Lock()
	defer e.mu.Unlock()
	var ids []queue.ID
	for id, l := range e.lanes {
		if everything || !l.measured {
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
	l.measured = true
	if !depth.NextDue.IsZero() {
		if !depth.NextDue.After(now) {
			l.behind = true
		}
		e.noteDue(l, depth.NextDue)
	}
	if e.mustSweep(l, depth, now) {
		e.startSweep(l)
	}
	e.mu.Unlock()
	e.opts.Observer.Measured(l.ref, depth)
}

// mustSweep tells whether events of a lane that delivers nothing are too old.
// While an endpoint is suspended its events are left alone.
func (e *Engine) mustSweep(l *lane, depth queue.Depth, now time.Time) bool {
	if depth.Oldest.IsZero() || l.open() || l.spec.endpoint.Suspend || l.claiming || e.phase != running {
		return false
	}
	return policy.Expired(l.spec.endpoint.Retry, now.Sub(depth.Oldest))
}
