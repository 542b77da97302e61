package deliver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/postern-dev/postern/receiver/deliver/outbound"
	"github.com/postern-dev/postern/receiver/deliver/policy"
	"github.com/postern-dev/postern/receiver/event"
	"github.com/postern-dev/postern/receiver/queue"
)

// Errors of [Engine.Direct]; others are errors of the network.
var (
	// ErrNoTarget means that nothing may be sent: the current routes do not
	// name the target, its Service does not exist, or the endpoint is suspended.
	ErrNoTarget = errors.New("target is not available")
	// ErrBusy means that the target has maxInFlight requests already.
	ErrBusy = errors.New("target is busy")
	// ErrResponseTooLarge means that the target's answer exceeds 1 MiB.
	ErrResponseTooLarge = outbound.ErrTooLarge
)

// Response is a target's answer to a direct delivery, ready to be relayed:
// hop-by-hop headers are removed.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Direct makes one attempt while the sender waits, within the target's timeout
// and ctx. The store is not involved and nothing is tried again; that is for
// the sender to do.
func (e *Engine) Direct(ctx context.Context, ev *event.Event, target string) (*Response, error) {
	l, spec, err := e.enterDirect(queue.ID{EndpointUID: ev.EndpointUID, Target: target})
	if err != nil {
		return nil, fmt.Errorf("target %s of %s/%s: %w", target, ev.Namespace, ev.Endpoint, err)
	}
	defer e.leaveDirect(l)
	began, span := time.Now(), newSpanID()
	answer, err := e.client.Relay(spec.destination, outbound.Build(ctx, spec.destination, ev, outbound.Try{
		Number: 1, At: began, Relayed: true, SpanID: span,
	}))
	report := Report{
		Ref: l.ref, Event: ev, Attempt: 1, Direct: true, Result: ResultDelivered,
		Status: answer.Status, At: began, Latency: time.Since(began), SpanID: span,
	}
	outcome := policy.ClassifyStatus(answer.Status, 0)
	if err != nil {
		outcome = policy.ClassifyError(err)
	}
	if outcome.Verdict != policy.Done {
		report.Result, report.Reason = ResultRetry, outcome.Reason
	}
	e.report(l, report)
	if err != nil {
		return nil, fmt.Errorf("target %s of %s/%s: %w", target, ev.Namespace, ev.Endpoint, err)
	}
	return &Response{Status: answer.Status, Header: answer.Header, Body: answer.Body}, nil
}

func (e *Engine) enterDirect(id queue.ID) (*lane, *spec, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	l := e.lanes[id]
	if l == nil || l.spec.blocked() {
		return nil, nil, ErrNoTarget
	}
	if l.direct >= l.spec.target.MaxInFlight {
		return nil, nil, ErrBusy
	}
	l.direct++
	return l, l.spec, nil
}

func (e *Engine) leaveDirect(l *lane) {
	e.mu.Lock()
	defer e.mu.Unlock()
	l.direct--
}
