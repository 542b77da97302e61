package deliver

import (
	"time"

	"github.com/postern-dev/postern/receiver/event"
	"github.com/postern-dev/postern/receiver/queue"
)

// Ref names a lane for people: metric labels and log fields.
type Ref struct {
	Namespace string
	Endpoint  string
	Target    string
}

// Result is the label of what became of an event at a target.
type Result string

// Results.
const (
	ResultDelivered Result = "delivered"
	ResultRetry     Result = "retry"
	ResultDead      Result = "dead"
)

// Report tells of one attempt, or of an event that died without one.
type Report struct {
	Ref   Ref
	Event *event.Event
	// Attempt counts from 1; 0 when the event died without a further attempt.
	Attempt int
	Result  Result
	// Reason is a word of the closed set in policy; empty when delivered.
	Reason string
	// Status is the target's answer; 0 when there was none.
	Status int
	// At is when the attempt began; zero without one.
	At      time.Time
	Latency time.Duration
	// SpanID is the parent that the target was told of.
	SpanID [8]byte
	// RetryIn is when the next attempt is due, for ResultRetry.
	RetryIn time.Duration
	// Direct is set for an attempt made while the sender waits.
	Direct bool
}

// Observer is told what the engine does. Its methods are called concurrently
// and must not block or call back into the engine.
type Observer interface {
	// Attempted is called once for every attempt and every death.
	Attempted(report Report)
	// Measured is called for every queue at every rescan.
	Measured(ref Ref, depth queue.Depth)
	// DeadExpired is called when dead letters were given up because of their age.
	DeadExpired(ref Ref, count int)
	// BreakerChanged is called when a breaker opens or closes.
	BreakerChanged(ref Ref, open bool)
	// Removed is called when a lane is gone, so that its series can go too.
	// Nothing is told of a lane after it.
	Removed(ref Ref)
}

type silent struct{}

func (silent) Attempted(Report)          {}
func (silent) Measured(Ref, queue.Depth) {}
func (silent) DeadExpired(Ref, int)      {}
func (silent) BreakerChanged(Ref, bool)  {}
func (silent) Removed(Ref)               {}

// tell tells the observer something about a lane that is not removed.
func (e *Engine) tell(l *lane, what func(Observer)) {
	e.observing.RLock()
	defer e.observing.RUnlock()
	if !l.silent {
		what(e.opts.Observer)
	}
}

func (e *Engine) report(l *lane, report Report) {
	e.tell(l, func(o Observer) { o.Attempted(report) })
}
