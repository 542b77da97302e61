package deliver

import (
	"context"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
)

// Leases are short, so that the events of a process that died are soon with
// another one, and are renewed as long as this process has the event: while it
// waits in memory, is under way, or has an outcome that the store did not take
// yet. Most events are done long before their first renewal is due.
const (
	// renewBatch bounds one question to the store.
	renewBatch = 512
	// lapsedWait is how long a claim waits for the renewal of leases that ran out.
	lapsedWait = 50 * time.Millisecond
)

// renewBelow is what is left of a lease when it is renewed in the background,
// attemptAbove what must be left of it when an attempt begins.
func (e *Engine) renewBelow() time.Duration   { return e.opts.Lease * 2 / 3 }
func (e *Engine) attemptAbove() time.Duration { return e.opts.Lease / 3 }

// held are the jobs of a lane by when their leases run out, the soonest first.
// The engine's mutex guards it.
type held struct{ first, last *job }

// add keeps the order; new leases nearly always run out last.
func (h *held) add(j *job) {
	after := h.last
	for after != nil && after.expires.After(j.expires) {
		after = after.previous
	}
	j.held, j.previous = true, after
	if after == nil {
		j.next, h.first = h.first, j
	} else {
		j.next, after.next = after.next, j
	}
	if j.next == nil {
		h.last = j
	} else {
		j.next.previous = j
	}
}

func (h *held) remove(j *job) {
	if !j.held {
		return
	}
	if j.previous == nil {
		h.first = j.next
	} else {
		j.previous.next = j.next
	}
	if j.next == nil {
		h.last = j.previous
	} else {
		j.next.previous = j.previous
	}
	j.held, j.previous, j.next = false, nil, nil
}

// lapsed tells whether a lease may have run out. As long as it is not renewed,
// a claim could bring back what this process is still busy with.
func (h *held) lapsed(now time.Time) bool { return h.first != nil && !h.first.expires.After(now) }

// hold has the lease of a job renewed until the job is dropped. The caller
// holds the mutex.
func (e *Engine) hold(j *job) {
	j.lane.held.add(j)
	e.holders[j.lane] = struct{}{}
}

// drop ends what the engine knows of an event at a target. The caller holds the mutex.
func (e *Engine) drop(j *job) {
	j.lane.held.remove(j)
	e.leave(j.memory)
}

// renewLoop renews leases long before they run out, and at once when a claim waits for it.
func (e *Engine) renewLoop(ctx context.Context) {
	ticker := time.NewTicker(e.opts.Lease / 6)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-e.renewSoon:
		}
		for failures := 1; !e.renewAll(ctx); failures++ {
			if !e.pause(outageWait(failures, e.opts.Rand())) {
				return
			}
		}
	}
}

// renewAll renews the leases of which little is left. It tells whether all of
// the store was there.
func (e *Engine) renewAll(ctx context.Context) (ok bool) {
	jobs := e.renewable(time.Now().Add(e.renewBelow()))
	return partwise(e, jobs, func(j *job) string { return j.lease.Queue.EndpointUID }, renewBatch,
		func(batch []*job) error { return e.renew(ctx, batch) })
}

func (e *Engine) renewable(before time.Time) []*job {
	e.mu.Lock()
	defer e.mu.Unlock()
	var jobs []*job
	for l := range e.holders {
		if l.held.first == nil {
			delete(e.holders, l)
		}
		for j := l.held.first; j != nil && j.expires.Before(before); j = j.next {
			jobs = append(jobs, j)
		}
	}
	return jobs
}

// renew extends leases. A job whose lease is lost is somebody else's: it is not
// begun any more, and when it is under way its outcome will be refused.
func (e *Engine) renew(ctx context.Context, jobs []*job) error {
	leases := make([]queue.Lease, len(jobs))
	for i, j := range jobs {
		leases[i] = j.lease
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	expires := time.Now().Add(e.opts.Lease)
	lost, err := e.opts.Worker.Renew(ctx, leases, e.opts.Lease)
	isLost := make(map[queue.Lease]bool, len(lost))
	for _, lease := range lost {
		isLost[lease] = true
	}
	told := map[string]bool{}
	for _, j := range jobs {
		uid, failure := j.lease.Queue.EndpointUID, queue.FailureOf(err, j.lease.Queue)
		if !told[uid] && failure != nil {
			e.storeFailed(failure, uid)
		} else if !told[uid] {
			e.storeAnswered(uid)
		}
		told[uid] = true
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, j := range jobs {
		if queue.FailureOf(err, j.lease.Queue) == nil {
			e.renewed(j, expires, isLost[j.lease])
		}
	}
	return err
}

// renewed notes what became of a lease; that of a job that has ended is of no
// interest. The caller holds the mutex.
func (e *Engine) renewed(j *job, expires time.Time, lost bool) {
	if !j.held {
		return
	}
	j.lane.held.remove(j)
	if lost {
		j.lost = true
		return
	}
	j.expires = expires
	j.lane.held.add(j)
}

// keepLease makes sure that enough is left of the lease to begin an attempt.
// An event whose lease is lost, or cannot be renewed, is left to whom it
// belongs then.
func (e *Engine) keepLease(j *job) bool {
	if left, lost := e.left(j); lost || left >= e.attemptAbove() {
		return !lost
	}
	if err := e.renew(e.root, []*job{j}); err != nil {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.noteDue(j.lane, latest(j.expires, time.Now()))
		return false
	}
	_, lost := e.left(j)
	return !lost
}

func (e *Engine) left(j *job) (left time.Duration, lost bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return time.Until(j.expires), j.lost
}
