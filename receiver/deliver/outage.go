package deliver

import "time"

const (
	outageMin = 50 * time.Millisecond
	// outageMax bounds how long the end of an outage can go unnoticed.
	outageMax = time.Second
	// storeTimeout bounds one call of the store.
	storeTimeout = 5 * time.Second
)

// outage is the back-off that all calls of an unreachable store share.
type outage struct {
	failures int
	until    time.Time
}

// failed prolongs the back-off; calls that were under way together count once.
func (o *outage) failed(now time.Time, random float64) (first bool) {
	if now.Before(o.until) {
		return false
	}
	o.failures++
	o.until = now.Add(outageWait(o.failures, random))
	return o.failures == 1
}

// ended tells whether there was an outage.
func (o *outage) ended() bool {
	was := o.failures > 0
	*o = outage{}
	return was
}

// outageWait is the wait after the given number of failures, with equal jitter.
func outageWait(failures int, random float64) time.Duration {
	wait := min(outageMin<<min(failures-1, 10), outageMax)
	return wait/2 + time.Duration(random*float64(wait/2))
}

// storeFailed notes that a call of the store failed.
func (e *Engine) storeFailed(err error) {
	if e.root.Err() != nil {
		return
	}
	e.mu.Lock()
	first := e.outage.failed(time.Now(), e.opts.Rand())
	e.mu.Unlock()
	if first {
		e.opts.Logger.Error("Store failed, delivery from it waits", "error", err)
	}
}

// storeAnswered notes that a call of the store succeeded.
func (e *Engine) storeAnswered() {
	e.mu.Lock()
	ended := e.outage.ended()
	e.mu.Unlock()
	if ended {
		e.opts.Logger.Info("Store answered again")
		signal(e.claimSoon)
	}
}
