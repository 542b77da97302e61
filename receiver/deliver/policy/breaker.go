package policy

import (
	"time"

	"github.com/postern-dev/postern/receiver/route"
)

// Breaker stops attempts at a target that fails them all, and lets one probe
// through per back-off. It is not safe for concurrent use. The zero value is
// closed.
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
}

// BreakerSettings are what opens a breaker and how long its back-off grows.
type BreakerSettings struct {
	Threshold  int
	MaxBackoff time.Duration
	Retry      route.Retry
}

// Closed tells whether attempts pass freely.
func (b *Breaker) Closed() bool { return b.opened == 0 }

// Until is when the next probe may go; zero while closed.
func (b *Breaker) Until() time.Time { return b.until }

// Probing tells whether a probe is on its way.
func (b *Breaker) Probing() bool { return b.probing }

// Probe begins the one probe of this back-off and tells whether it may go.
func (b *Breaker) Probe(now time.Time) bool {
	if b.Closed() || b.probing || now.Before(b.until) {
		return false
	}
	b.probing = true
	return true
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
	b.until = now.Add(settings.wait(b.opened, outcome.RetryAfter, random))
	return b.opened == 1
}

// wait has equal jitter, not full: a probe at once after a failure would learn nothing.
func (s BreakerSettings) wait(opened int, retryAfter time.Duration, random float64) time.Duration {
	limit := min(ceiling(s.Retry, opened), s.MaxBackoff)
	wait := limit/2 + time.Duration(random*float64(limit/2))
	return max(wait, min(retryAfter, maxBackoff(s.Retry)))
}
