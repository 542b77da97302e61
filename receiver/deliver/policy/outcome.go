// Package policy decides what an attempt means: whether the event is done,
// dead or tried again, when, and whether the target is healthy.
//
// Everything in it is pure: time and chance are arguments. It imports route
// and the standard library only.
package policy

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// Verdict is what an attempt decides for its event.
type Verdict int

// Verdicts.
const (
	// Done: the target has it.
	Done Verdict = iota
	// Retry: try again later.
	Retry
	// Dead: never try again.
	Dead
)

// Reasons of an [Outcome] and of a [Decision]; a closed set, used as field of
// the log, in the history and in metrics.
const (
	ReasonGone              = "gone"
	ReasonRedirect          = "redirect"
	ReasonClientError       = "client_error"
	ReasonRateLimited       = "rate_limited"
	ReasonServerError       = "server_error"
	ReasonUnexpectedStatus  = "unexpected_status"
	ReasonTimeout           = "timeout"
	ReasonConnection        = "connection_failed"
	ReasonForbiddenAddress  = "forbidden_address"
	ReasonExpired           = "expired"
	ReasonAttemptsExhausted = "attempts_exhausted"
	ReasonTargetRemoved     = "target_removed"
	ReasonShutdown          = "shutdown"
)

// ErrForbiddenAddress is in the error of an attempt whose target resolved to
// an address that no target may have.
var ErrForbiddenAddress = errors.New("address is not allowed for targets")

// ErrUnreached is in the error of an attempt for which no connection came about.
var ErrUnreached = errors.New("no connection")

// Outcome is what one answer, or the lack of one, means by itself.
type Outcome struct {
	Verdict Verdict
	// Reason is empty when the target has the event.
	Reason string
	// Unhealthy speaks of the target, not of the event: it counts towards
	// opening the breaker. An answer that refuses just this event does not, so
	// that a few events that a target dislikes never hold up the others.
	Unhealthy bool
	// Unreached is set when not even a connection came about.
	Unreached bool
	// RetryAfter is what the target asked for; 0 when it did not.
	RetryAfter time.Duration
}

// ClassifyStatus judges an answer. Any 2xx is done, 410 is dead at once,
// everything else is tried again; redirects are never followed.
func ClassifyStatus(status int, retryAfter time.Duration) Outcome {
	switch {
	case status >= 200 && status <= 299:
		return Outcome{Verdict: Done}
	case status == http.StatusGone:
		return Outcome{Verdict: Dead, Reason: ReasonGone}
	case status >= 300 && status <= 399:
		return Outcome{Verdict: Retry, Reason: ReasonRedirect}
	case status == http.StatusTooManyRequests:
		return Outcome{Verdict: Retry, Reason: ReasonRateLimited, Unhealthy: true, RetryAfter: retryAfter}
	case status >= 400 && status <= 499:
		return Outcome{Verdict: Retry, Reason: ReasonClientError, RetryAfter: retryAfter}
	case status >= 500 && status <= 599:
		return Outcome{Verdict: Retry, Reason: ReasonServerError, Unhealthy: true, RetryAfter: retryAfter}
	default:
		return Outcome{Verdict: Retry, Reason: ReasonUnexpectedStatus, Unhealthy: true}
	}
}

// ClassifyError judges an attempt that got no answer.
func ClassifyError(err error) Outcome {
	outcome := Outcome{
		Verdict: Retry, Reason: ReasonConnection, Unhealthy: true, Unreached: errors.Is(err, ErrUnreached),
	}
	var timeout net.Error
	switch {
	case errors.Is(err, ErrForbiddenAddress):
		outcome.Reason = ReasonForbiddenAddress
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		outcome.Reason = ReasonTimeout
	}
	return outcome
}
