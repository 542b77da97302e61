package deliver

import (
	"context"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
)

// releaseTime bounds how long giving leases back may take after a drain's deadline.
const releaseTime = 3 * time.Second

const (
	// pullInterval is how often a drain makes events due that wait for their next
	// attempt: this store ends with the process, and their back-off with it.
	pullInterval = 2 * time.Second
	// leftInterval is how often a drain asks whether the store is empty.
	leftInterval = 100 * time.Millisecond
)

// Drain takes no new events, delivers what can be delivered until ctx ends,
// gives the remaining leases back and stops the engine. With DrainStore it goes on
// until the store has no event for a target that may be delivered to, and tries
// those that failed again and again. Giving back may take up to 3 s more.
func (e *Engine) Drain(ctx context.Context) {
	e.mu.Lock()
	if e.phase != running {
		e.mu.Unlock()
		return
	}
	e.phase = draining
	for _, l := range e.lanes {
		e.retime(l)
	}
	e.checkDrained()
	e.mu.Unlock()
	if e.opts.DrainStore {
		e.loops.Go(func() { e.empty(ctx) })
	}

	select {
	case <-e.drained:
	case <-ctx.Done():
		e.giveBack()
	case <-e.root.Done():
	}
	e.stop()
	e.Wait()
}

// giveBack ends attempts, releases what waits in memory and returns when the
// store has taken it all, or cannot in time.
func (e *Engine) giveBack() {
	e.mu.Lock()
	e.phase = stopping
	for _, l := range e.lanes {
		e.flush(l)
	}
	e.checkDrained()
	e.mu.Unlock()
	e.cancelAttempts()

	timer := time.NewTimer(releaseTime)
	defer timer.Stop()
	select {
	case <-e.drained:
	case <-timer.C:
		e.opts.Logger.Warn("Stopped with leases that could not be given back; they run out by themselves")
	case <-e.root.Done():
	}
}

// checkDrained tells Drain when nothing is left to do. The caller holds the mutex.
func (e *Engine) checkDrained() {
	if (e.phase != draining && e.phase != stopping) || e.busy > 0 {
		return
	}
	if e.opts.DrainStore && e.phase == draining && !e.emptied {
		return
	}
	if len(e.timers) > 0 && !e.timers[0].at.After(time.Now()) {
		return
	}
	select {
	case <-e.drained:
	default:
		close(e.drained)
	}
}

// empty works the store off until it has nothing left for this engine, or ctx ends.
func (e *Engine) empty(ctx context.Context) {
	for pulled := (time.Time{}); ctx.Err() == nil; {
		now := time.Now()
		pull := now.Sub(pulled) >= pullInterval
		if pull {
			pulled = now
		}
		left, err := e.pull(ctx, pull)
		if err != nil {
			e.storeFailed(err, "")
		}
		e.mu.Lock()
		e.emptied = err == nil && left == 0
		e.checkDrained()
		done := e.phase != draining
		e.mu.Unlock()
		if done || !e.pause(leftInterval) {
			return
		}
	}
}

// pull counts what the store has for lanes that are not blocked, and makes due
// what waits there.
func (e *Engine) pull(ctx context.Context, hasten bool) (left int64, err error) {
	ids := e.scanned(func(l *lane) bool { return !l.spec.blocked() })
	for len(ids) > 0 {
		batch := ids[:min(scanBatch, len(ids))]
		ids = ids[len(batch):]
		depths, err := e.depths(ctx, batch)
		if err != nil {
			return 0, err
		}
		for i, depth := range depths {
			left += depth.Pending
			if depth.Pending == 0 || !hasten || e.opts.Worker.Hasten(ctx, batch[i], 0, 0) != nil {
				continue
			}
			e.Wake(batch[i])
		}
	}
	return left, nil
}

func (e *Engine) depths(ctx context.Context, ids []queue.ID) ([]queue.Depth, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return e.opts.Worker.Depths(ctx, ids)
}
