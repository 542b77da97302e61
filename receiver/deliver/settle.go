package deliver

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
)

const (
	// refusedTries is how often a settlement is tried that the store answers
	// with an error of its own; an unreachable store is asked for ever.
	refusedTries = 20
	// releasers bounds the releases of one lane under way together.
	releasers = 16
)

// settle ends a lease. While the store is away it goes on trying, beyond the
// end of the lease: as long as nobody else claimed the event, the outcome holds
// and the event is not delivered twice.
func (e *Engine) settle(j *job, settlement queue.Settlement) {
	waiting := false
	for failures := 1; ; failures++ {
		err := e.settleOnce(j.lease, settlement)
		if err == nil || errors.Is(err, queue.ErrLeaseLost) || errors.Is(err, queue.ErrNotFound) {
			e.settled(j, settlement, waiting, err == nil)
			return
		}
		if !waiting {
			waiting = true
			e.holdClaims(j.lane, 1)
		}
		e.storeFailed(err)
		refused := failures >= refusedTries && !errors.Is(err, queue.ErrUnavailable)
		if refused || !e.pause(outageWait(failures, e.opts.Rand())) {
			e.opts.Logger.Error("Outcome was not stored, the event is delivered again",
				"event", j.event.ID, "target", j.lane.ref.Target, "error", err)
			e.settled(j, settlement, waiting, false)
			return
		}
	}
}

func (e *Engine) settleOnce(lease queue.Lease, settlement queue.Settlement) error {
	ctx, cancel := context.WithTimeout(e.root, storeTimeout)
	defer cancel()
	return e.opts.Worker.Settle(ctx, lease, settlement)
}

// settled ends the settlement's hold on the lane and notes when the event is due again.
func (e *Engine) settled(j *job, settlement queue.Settlement, waited, stored bool) {
	if waited {
		e.holdClaims(j.lane, -1)
		if stored {
			e.storeAnswered()
		}
	}
	again := settlement.Outcome == queue.Retry || settlement.Outcome == queue.Release
	if !stored || !again {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	j.lane.pending = max(j.lane.pending, 1)
	e.noteDue(j.lane, time.Now().Add(settlement.After))
}

func (e *Engine) holdClaims(l *lane, n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	l.unsettled += n
	e.retime(l)
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
// asks next. The caller holds the mutex.
func (e *Engine) release(l *lane, jobs []*job) {
	if len(jobs) == 0 {
		return
	}
	feed := make(chan *job, len(jobs))
	for _, j := range jobs {
		if j.probe {
			l.breaker.Abandon()
		}
		feed <- j
	}
	close(feed)
	e.spawn(func() {
		var group sync.WaitGroup
		for range min(releasers, len(jobs)) {
			group.Go(func() {
				for j := range feed {
					e.giveUp(j)
				}
			})
		}
		group.Wait()
	})
}

func (e *Engine) giveUp(j *job) {
	e.settle(j, queue.Settlement{Outcome: queue.Release})
	e.mu.Lock()
	defer e.mu.Unlock()
	e.leave(j.memory)
}
