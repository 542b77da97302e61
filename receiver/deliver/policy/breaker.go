package policy

import (
	"time"

	"github.com/postern-dev/postern/receiver/route"
)

// Breaker stops attempts at a target that fails them all, and lets one probe
// through per back-off. It is not safe for concurrent use. The zero value is
// closed.
//
// A target to which no connection came about is probed in two steps: a
// connection, which costs nobody anything, and once there is one, an event.
//
//	closed ──threshold failures in a row──▶ open ──back-off over──▶ half-open
//	  ▲                                      ▲                        │  │
//	  │                                      └────────probe fails─────┘  │
//	  └───────────────────any answer of a healthy target─────────────────┘
type Breaker struct {
	failures int
	opened   int
	until    time.Time
	probing  bool
	// unreached is set while the next probe must be a connection.
	unreached bool
}

// BreakerSettings are what opens a breaker and how long its back-off grows.
type BreakerSettings struct {
	// Threshold is how many failures in a row open the breaker.
	Threshold int
	// MaxBackoff caps the wait before an event is risked as a probe,
	// ConnectBackoff the wait before another try to connect.
	MaxBackoff     time.Duration
	ConnectBackoff time.Duration
	Retry          route.Retry
}

// Closed tells whether attempts pass freely.
func (b *Breaker) Closed() bool { return b.opened == 0 }

// Until is when the next probe may go; zero while closed.
func (b *Breaker) Until() time.Time { return b.until }

// Probing tells whether a probe is on its way.
func (b *Breaker) Probing() bool { return b.probing }

// Probe begins the one probe of this back-off and tells whether it may go.
func (b *Breaker) Probe(now time.Time) bool {
	if b.Closed() || b.probing || b.unreached || now.Before(b.until) {
		return false
	}
	b.probing = true
	return true
}

// Unreached tells whether a connection must come about before the next probe.
func (b *Breaker) Unreached() bool { return b.unreached }

// Connected notes that a connection came about; an event may be risked now.
func (b *Breaker) Connected() { b.unreached = false }

// NotConnected notes that again no connection came about.
func (b *Breaker) NotConnected(settings BreakerSettings, now time.Time, random float64) {
	b.until = now.Add(jittered(settings.ConnectBackoff, random))
}

// Abandon ends a probe that found nothing to send; the next may go at once.
func (b *Breaker) Abandon() { b.probing = false }

// Success notes an answer of a healthy target and tells whether that closed
// the breaker. An answer to an attempt from before it opened counts as well:
// the target is alive.
func (b *Breaker) Success() (closed bool) {
	closed = !b.Closed()
	*b = Breaker{}
	return closed
}

// Failure notes an unhealthy outcome and tells whether that opened the breaker.
// Failures of attempts from before it opened do not prolong the back-off.
func (b *Breaker) Failure(
	settings BreakerSettings, outcome Outcome, probe bool, now time.Time, random float64,
) (opened bool) {
	switch {
	case b.Closed():
		b.failures++
		if b.failures < settings.Threshold {
			return false
		}
	case !probe:
		return false
	}
	b.opened++
	b.probing = false
	b.unreached = outcome.Unreached
	b.until = now.Add(settings.wait(b.opened, outcome, random))
	return b.opened == 1
}

func (s BreakerSettings) wait(opened int, outcome Outcome, random float64) time.Duration {
	longest := s.MaxBackoff
	if outcome.Unreached {
		longest = s.ConnectBackoff
	}
	wait := jittered(min(ceiling(s.Retry, opened), longest), random)
	return max(wait, min(outcome.RetryAfter, maxBackoff(s.Retry)))
}

// jittered has equal jitter, not full: a probe at once after a failure would learn nothing.
func jittered(wait time.Duration, random float64) time.Duration {
	return wait/2 + time.Duration(random*float64(wait/2))
}
