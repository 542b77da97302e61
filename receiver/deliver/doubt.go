package deliver

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
)

const (
	// maxDoubts bounds the leases in doubt; those of further ones run out.
	maxDoubts = 4096
	// doubtsAtOnce bounds how many of them the store is asked about together.
	doubtsAtOnce = 64
	// doubtAgain is how long after the store has said that it does not know a
	// lease it is asked once more: what was slow on its way may have come since.
	doubtAgain = 500 * time.Millisecond
)

// doubt is a lease that this process has if an admission was done whose answer
// was lost. The sender was told to try again, and its retry will be a duplicate.
// So the lease is given back, and the event is due as soon as the store is there.
type doubt struct {
	lease queue.Lease
	// until is when the lease has run out by itself.
	until time.Time
	// unknown is set once the store has said that there is no such lease, over
	// when there is nothing left to ask.
	unknown, over bool
}

// doubtful takes leases that a failed admission may have got. The caller holds
// the mutex.
func (e *Engine) doubtful(leases []queue.Lease) {
	until := time.Now().Add(e.opts.Lease)
	for _, lease := range leases[:min(len(leases), maxDoubts-e.doubted)] {
		e.doubts = append(e.doubts, doubt{lease: lease, until: until})
		e.doubted++
	}
	if len(e.doubts) > 0 && !e.resolving && e.phase != stopped {
		e.resolving = true
		e.spawn(e.resolveDoubts)
	}
}

// resolveDoubts asks the store until no lease is in doubt any more.
func (e *Engine) resolveDoubts() {
	failures := 0
	for {
		doubts := e.takeDoubts()
		if len(doubts) == 0 {
			return
		}
		open, err := e.giveBackAll(doubts)
		e.keepDoubts(open, len(doubts))
		wait := doubtAgain
		if failures++; err == nil {
			failures = 0
		} else {
			wait = outageWait(failures, e.opts.Rand())
		}
		if len(open) > 0 && !e.pause(wait) {
			return
		}
	}
}

func (e *Engine) takeDoubts() []doubt {
	e.mu.Lock()
	defer e.mu.Unlock()
	doubts := e.doubts
	e.doubts = nil
	e.resolving = len(doubts) > 0
	return doubts
}

// keepDoubts puts back what is left of those that were taken.
func (e *Engine) keepDoubts(open []doubt, taken int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.doubts = append(e.doubts, open...)
	e.doubted -= taken - len(open)
}

// giveBackAll gives leases back, and returns those that are still in doubt. In a
// part of the store that fails it tries no further. Whatever became of the others,
// their queues are asked.
func (e *Engine) giveBackAll(doubts []doubt) (open []doubt, err error) {
	failed := map[string]bool{}
	for some := range slices.Chunk(doubts, doubtsAtOnce) {
		err = errors.Join(err, e.giveBackSome(some, failed))
		for _, d := range some {
			if d.over || !time.Now().Before(d.until) {
				e.Wake(d.lease.Queue)
				continue
			}
			open = append(open, d)
		}
	}
	return open, err
}

// giveBackSome asks about leases together, so that they share a call.
func (e *Engine) giveBackSome(some []doubt, failed map[string]bool) error {
	errs := make([]error, len(some))
	var asking sync.WaitGroup
	for i := range some {
		if failed[e.opts.Worker.Part(some[i].lease.Queue.EndpointUID)] {
			continue
		}
		asking.Go(func() { errs[i] = e.giveBackDoubtful(&some[i]) })
	}
	asking.Wait()
	for i, err := range errs {
		if uid := some[i].lease.Queue.EndpointUID; err != nil {
			e.storeFailed(err, uid)
			failed[e.opts.Worker.Part(uid)] = true
		}
	}
	return errors.Join(errs...)
}

func (e *Engine) giveBackDoubtful(d *doubt) error {
	err := e.settleOnce(d.lease, queue.Settlement{Outcome: queue.Release})
	if errors.Is(err, queue.ErrLeaseLost) || errors.Is(err, queue.ErrNotFound) {
		d.over, d.unknown = d.unknown, true
		return nil
	}
	d.over = err == nil
	return err
}
