package deliver

import (
	"context"
	"errors"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
)

const (
	// refusedTries is how often a settlement is tried that the store answers
	// with an error of its own; an unreachable store is asked for ever.
	refusedTries = 20
	// releasers bounds the releases under way together.
	releasers = 64
)

// settle ends a lease. While the store is away it goes on trying, beyond the
// end of the lease: as long as nobody else claimed the event, the outcome holds
// and the event is not delivered twice.
func (e *Engine) settle(j *job, settlement queue.Settlement) {
	for failures := 1; ; failures++ {
		err := e.settleOnce(j.lease, settlement)
		if err == nil || errors.Is(err, queue.ErrLeaseLost) || errors.Is(err, queue.ErrNotFound) {
			e.settled(j, settlement, failures > 1, err == nil)
			return
		}
		e.storeFailed(err, j.lane.id.EndpointUID)
		if e.idle(j, settlement) {
			return
		}
		refused := failures >= refusedTries && !errors.Is(err, queue.ErrUnavailable)
		if refused || !e.pause(outageWait(failures, e.opts.Rand())) {
			e.opts.Logger.Error("Outcome was not stored, the event is delivered again",
				"event", j.event.ID, "target", j.lane.ref.Target, "error", err)
			return
		}
	}
}

func (e *Engine) settleOnce(lease queue.Lease, settlement queue.Settlement) error {
	ctx, cancel := context.WithTimeout(e.root, storeTimeout)
	defer cancel()
	return e.opts.Worker.Settle(ctx, lease, settlement)
}

// idle tells that there is nothing left to give back: the lease ran out.
func (e *Engine) idle(j *job, settlement queue.Settlement) bool {
	if settlement.Outcome != queue.Release {
		return false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if time.Now().Before(j.expires) {
		return false
	}
	e.noteDue(j.lane, j.expires)
	return true
}

// settled notes when the event is due again. After a failure, a lease that is
// lost may be one that was ended by the first try, whose answer was lost.
func (e *Engine) settled(j *job, settlement queue.Settlement, waited, stored bool) {
	if waited && stored {
		e.storeAnswered(j.lane.id.EndpointUID)
	}
	again := settlement.Outcome == queue.Retry || settlement.Outcome == queue.Release
	if !stored && !waited || !again {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	j.lane.pending = max(j.lane.pending, 1)
	e.noteDue(j.lane, time.Now().Add(settlement.After))
}

// pause waits, or tells that the engine stops.
func (e *Engine) pause(wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-e.root.Done():
		return false
	}
}

// flush empties the memory of a lane that may not go on. The caller holds the mutex.
func (e *Engine) flush(l *lane) {
	jobs := l.takeAll()
	if len(jobs) > 0 {
		l.behind = true
	}
	e.release(l, jobs)
}

// release gives leases back, so that the events are due at once for whoever
// asks next. The leases are not renewed any more: should the store be away,
// they run out. The caller holds the mutex.
func (e *Engine) release(l *lane, jobs []*job) {
	for _, j := range jobs {
		if j.probe {
			l.breaker.Abandon()
		}
		l.held.remove(j)
		e.returns.push(j)
	}
	for e.releasing < min(releasers, e.returns.len()) {
		e.releasing++
		e.spawn(e.giveUp)
	}
}

// giveUp releases what waits for it until nothing does.
func (e *Engine) giveUp() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for e.returns.len() > 0 {
		j := e.returns.pop()
		e.mu.Unlock()
		e.settle(j, queue.Settlement{Outcome: queue.Release})
		e.mu.Lock()
		e.leave(j.memory)
	}
	e.releasing--
}
