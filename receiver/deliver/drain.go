package deliver

import (
	"context"
	"time"
)

// releaseTime bounds how long giving leases back may take after a drain's deadline.
const releaseTime = 3 * time.Second

// Drain takes no new events, delivers what can be delivered until ctx ends,
// gives the remaining leases back and stops the engine. Giving back may take up
// to 3 s more.
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
	if len(e.timers) > 0 && !e.timers[0].at.After(time.Now()) {
		return
	}
	select {
	case <-e.drained:
	default:
		close(e.drained)
	}
}
