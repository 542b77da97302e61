package deliver

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
)

const (
	outageMin = 50 * time.Millisecond
	// outageMax bounds how long the end of an outage can go unnoticed.
	outageMax = time.Second
	// storeTimeout bounds one call of the store.
	storeTimeout = 5 * time.Second
)

// place is what an outage is of: a part of the store, or one endpoint.
type place struct{ part, endpoint string }

// outage is the back-off that all claims at a place share.
type outage struct {
	failures int
	until    time.Time
	// trying is set while one claim finds out whether the outage is over. Each may
	// hang until its time-out, and the others are for places that are well.
	trying bool
	// waiting are the lanes that would have claimed meanwhile.
	waiting map[*lane]struct{}
}

// failed prolongs the back-off; calls that were under way together count once.
func (o *outage) failed(now time.Time, random float64) (first bool) {
	if now.Before(o.until) {
		return false
	}
	o.failures++
	o.trying = false
	o.until = now.Add(outageWait(o.failures, random))
	return o.failures == 1
}

// outageWait is the wait after the given number of failures, with equal jitter.
func outageWait(failures int, random float64) time.Duration {
	wait := min(outageMin<<min(failures-1, 10), outageMax)
	return wait/2 + time.Duration(random*float64(wait/2))
}

// storeFailed notes that a call of the store about an endpoint failed. Others
// wait only if their part of the store is unavailable: what a server answers is
// about the endpoint's own keys or slot. A call about all endpoints names none.
func (e *Engine) storeFailed(err error, uid string) {
	if e.root.Err() != nil {
		return
	}
	at := place{part: e.opts.Worker.Part(uid)}
	if !errors.Is(err, queue.ErrUnavailable) || queue.OfEndpointAlone(err) {
		at.endpoint = uid
	}
	e.mu.Lock()
	o := e.outages[at]
	if o == nil {
		o = &outage{waiting: map[*lane]struct{}{}}
		e.outages[at] = o
	}
	first := o.failed(time.Now(), e.opts.Rand())
	e.mu.Unlock()
	if first {
		e.opts.Logger.Error("Store failed, delivery from it waits", "part", at.part, "uid", at.endpoint, "error", err)
	}
}

// storeAnswered notes that a call of the store about an endpoint succeeded.
func (e *Engine) storeAnswered(uid string) {
	part := e.opts.Worker.Part(uid)
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, at := range []place{{part: part}, {part, uid}} {
		o := e.outages[at]
		if o == nil {
			continue
		}
		delete(e.outages, at)
		for l := range o.waiting {
			if !l.removed {
				e.noteDue(l, time.Now())
			}
		}
		e.opts.Logger.Info("Store answered again", "part", at.part, "uid", at.endpoint)
		signal(e.claimSoon)
	}
}

// away tells how long a lane must not claim, because the store is away there. The
// caller holds the mutex.
func (e *Engine) away(l *lane, now time.Time) time.Duration {
	for _, o := range e.outagesOf(l) {
		wait := o.until.Sub(now)
		if o.trying {
			wait = max(wait, outageMax)
		}
		if wait > 0 {
			o.waiting[l] = struct{}{}
			return wait
		}
	}
	return 0
}

// outagesOf returns what keeps a lane from claiming. The caller holds the mutex.
func (e *Engine) outagesOf(l *lane) []*outage {
	if len(e.outages) == 0 {
		return nil
	}
	part := e.opts.Worker.Part(l.id.EndpointUID)
	var found []*outage
	for _, at := range []place{{part: part}, {part, l.id.EndpointUID}} {
		if o := e.outages[at]; o != nil {
			found = append(found, o)
		}
	}
	return found
}

// partwise does work in batches, the parts of the store side by side: one that
// does not answer holds up no other. It tells whether all parts were there.
func partwise[T any](e *Engine, items []T, uid func(T) string, most int, work func(batch []T) error) bool {
	parts := map[string][]T{}
	for _, item := range items {
		part := e.opts.Worker.Part(uid(item))
		parts[part] = append(parts[part], item)
	}
	var group sync.WaitGroup
	var failed atomic.Bool
	for _, all := range parts {
		group.Go(func() {
			for batch := range slices.Chunk(all, most) {
				if errors.Is(work(batch), queue.ErrUnavailable) {
					failed.Store(true)
				}
			}
		})
	}
	group.Wait()
	return !failed.Load()
}
