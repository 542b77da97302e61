package deliver

import (
	"encoding/binary"
	"math/rand/v2"
	"time"

	"github.com/postern-dev/postern/receiver/deliver/outbound"
	"github.com/postern-dev/postern/receiver/deliver/policy"
	"github.com/postern-dev/postern/receiver/queue"
)

// unreadableWait is how long an event of a newer version waits for a process that
// can read it.
const unreadableWait = time.Minute

// deliver brings one event to its target once and settles it.
func (e *Engine) deliver(j *job) {
	settlement := e.attempt(j)
	if settlement != nil {
		e.settle(j, *settlement)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.drop(j)
}

// attempt returns how the lease ends, or nil when there is nothing to settle.
// Whatever happens, it frees the lane for the next event before the store is asked.
func (e *Engine) attempt(j *job) *queue.Settlement {
	if j.expired(time.Now()) {
		e.finish(j, nil, 0)
		return e.bury(j, j.expiry())
	}
	if j.unreadable {
		e.finish(j, nil, 0)
		return &queue.Settlement{Outcome: queue.Release, After: unreadableWait}
	}
	if !e.keepLease(j) {
		e.finish(j, nil, 0)
		return nil
	}
	if !e.mayStillBegin(j) {
		e.finish(j, nil, 0)
		return &queue.Settlement{Outcome: queue.Release}
	}
	began := time.Now()
	j.span = newSpanID()
	answer, err := e.client.Send(j.spec.destination, outbound.Build(e.attempts, j.spec.destination, j.event, outbound.Try{
		Number: j.lease.Attempts + 1,
		At:     began,
		Replay: !j.lease.Replayed.IsZero(),
		SpanID: j.span,
	}))
	record := &queue.Attempt{At: began, Latency: time.Since(began), Status: answer.Status, Excerpt: string(answer.Body)}
	outcome := policy.ClassifyStatus(answer.Status, policy.RetryAfter(answer.Header.Get("Retry-After"), time.Now()))
	if err != nil {
		record.Error = err.Error()
		outcome = policy.ClassifyError(err)
		if e.attempts.Err() != nil {
			// The engine cut it short. That says nothing of the target, and as
			// with a process that is killed no attempt is spent.
			e.finish(j, nil, 0)
			return &queue.Settlement{Outcome: queue.Release, Reason: policy.ReasonShutdown}
		}
	}
	e.finish(j, &outcome, record.Latency)
	return e.judge(j, outcome, record)
}

// mayStillBegin takes the routes of this moment: keeping the lease may have
// taken a while, and nothing is sent where they do not lead.
func (e *Engine) mayStillBegin(j *job) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	j.spec = j.lane.spec
	return !j.lane.removed && !j.spec.blocked()
}

// judge applies the endpoint's policy to an attempt and reports it.
func (e *Engine) judge(j *job, outcome policy.Outcome, record *queue.Attempt) *queue.Settlement {
	retry := j.spec.endpoint.Retry
	number := j.lease.Attempts + 1
	age := j.age(time.Now())
	decision := policy.Decide(retry, outcome, number, age, e.opts.Rand())
	settlement := &queue.Settlement{Attempt: record, Reason: decision.Reason, After: decision.After}
	report := Report{
		Ref: j.lane.ref, Event: j.event, Attempt: number, Reason: decision.Reason,
		Status: record.Status, At: record.At, Latency: record.Latency, RetryIn: decision.After, SpanID: j.span,
	}
	switch decision.Verdict {
	case policy.Done:
		settlement.Outcome, report.Result = queue.Done, ResultDelivered
	case policy.Retry:
		settlement.Outcome, report.Result = queue.Retry, ResultRetry
	case policy.Dead:
		settlement.Outcome, report.Result = queue.Dead, ResultDead
		e.logDeath(j, decision.Reason)
	}
	e.report(j.lane, report)
	return settlement
}

// bury ends an event without a further attempt.
func (e *Engine) bury(j *job, reason string) *queue.Settlement {
	e.logDeath(j, reason)
	e.report(j.lane, Report{Ref: j.lane.ref, Event: j.event, Result: ResultDead, Reason: reason})
	return &queue.Settlement{Outcome: queue.Dead, Reason: reason}
}

// logDeath writes one line: a backlog that expires must not become a flood of lines.
func (e *Engine) logDeath(j *job, reason string) {
	ref := j.lane.ref
	suppressed, ok := e.sampler.Take(logEvery, j.lane.id.EndpointUID+"/"+ref.Target, reason)
	if !ok {
		return
	}
	e.opts.Logger.Warn("Event became a dead letter", "reason", reason, "endpoint", ref.Namespace+"/"+ref.Endpoint,
		"target", ref.Target, "event", j.event.ID, "attempts", j.lease.Attempts, "suppressed", suppressed)
}

// finish ends the attempt's use of the lane. outcome is nil when nothing was
// learned about the target.
func (e *Engine) finish(j *job, outcome *policy.Outcome, latency time.Duration) {
	e.mu.Lock()
	l := j.lane
	e.end(l)
	if outcome != nil {
		l.quick = latency < quickLatency
	}
	changed := e.judgeTarget(j, outcome)
	open := !l.breaker.Closed()
	e.countOpen(l)
	e.retime(l)
	e.wake(l)
	e.mu.Unlock()
	if changed {
		e.opts.Logger.Warn("Breaker changed", "endpoint", l.ref.Namespace+"/"+l.ref.Endpoint,
			"target", l.ref.Target, "open", open)
		e.tell(l, func(o Observer) { o.BreakerChanged(l.ref, open) })
	}
}

// judgeTarget tells the breaker and returns whether it opened or closed. An
// outcome of an address that the target has no longer says nothing.
func (e *Engine) judgeTarget(j *job, outcome *policy.Outcome) (changed bool) {
	l := j.lane
	if outcome == nil || j.spec.destination.Address() != l.spec.destination.Address() {
		if j.probe {
			l.breaker.Abandon()
		}
		return false
	}
	if !outcome.Unhealthy {
		return l.breaker.Success()
	}
	if !l.breaker.Failure(e.breakerSettings(l), *outcome, j.probe, time.Now(), e.opts.Rand()) {
		return false
	}
	e.flush(l)
	return true
}

func newSpanID() (id [8]byte) {
	// All zeros is not a valid id.
	binary.LittleEndian.PutUint64(id[:], rand.Uint64()|1)
	return id
}
