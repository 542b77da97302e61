package deliver

import (
	"time"

	"github.com/postern-dev/postern/receiver/deliver/policy"
)

const (
	// connectBackoff caps the time between tries to connect to a target that
	// could not be reached.
	connectBackoff = time.Second
	// probeSpacing keeps the probes of all dead targets together below 200 a
	// second: many of them wait longer, each on its own.
	probeSpacing = 5 * time.Millisecond
)

// reach tries to connect to a target that could not be reached while events
// wait for it. Neither the store nor an attempt of an event is spent, so that
// it can be done often, and the target is noticed soon when it is back. The
// caller holds the mutex.
func (e *Engine) reach(l *lane) {
	l.reaching = true
	e.retime(l)
	destination := l.spec.destination
	e.loops.Go(func() {
		err := e.client.Connect(e.attempts, destination)
		e.mu.Lock()
		defer e.mu.Unlock()
		l.reaching = false
		switch {
		case destination.Address() != l.spec.destination.Address():
		case err == nil:
			l.breaker.Connected()
		default:
			l.breaker.NotConnected(e.breakerSettings(l), time.Now(), e.opts.Rand())
		}
		e.retime(l)
	})
}

func (e *Engine) breakerSettings(l *lane) policy.BreakerSettings {
	least := time.Duration(e.opened) * probeSpacing
	return policy.BreakerSettings{
		Threshold:      e.opts.BreakerThreshold,
		MaxBackoff:     max(e.opts.BreakerMaxBackoff, least),
		ConnectBackoff: max(connectBackoff, least),
		Retry:          l.spec.endpoint.Retry,
	}
}

// countOpen keeps the number of open breakers after a lane's has, or may have, changed.
func (e *Engine) countOpen(l *lane) {
	open := !l.removed && !l.breaker.Closed()
	if open == l.countedOpen {
		return
	}
	l.countedOpen = open
	if open {
		e.opened++
	} else {
		e.opened--
	}
}
