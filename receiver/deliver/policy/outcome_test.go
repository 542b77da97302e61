package policy_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/deliver/policy"
)

func TestClassifyStatusOverEveryCode(t *testing.T) {
	t.Parallel()
	for status := range 1001 {
		outcome := policy.ClassifyStatus(status, 7*time.Second)
		switch {
		case status >= 200 && status < 300:
			expectOutcome(t, status, outcome, policy.Outcome{Verdict: policy.Done})
		case status == 410:
			expectOutcome(t, status, outcome, policy.Outcome{Verdict: policy.Dead, Reason: policy.ReasonGone})
		case status == 429:
			expectOutcome(t, status, outcome, policy.Outcome{
				Verdict: policy.Retry, Reason: policy.ReasonRateLimited, Unhealthy: true, RetryAfter: 7 * time.Second,
			})
		case status >= 300 && status < 400:
			expectOutcome(t, status, outcome, policy.Outcome{Verdict: policy.Retry, Reason: policy.ReasonRedirect})
		case status >= 400 && status < 500:
			expectOutcome(t, status, outcome, policy.Outcome{
				Verdict: policy.Retry, Reason: policy.ReasonClientError, RetryAfter: 7 * time.Second,
			})
		case status >= 500 && status < 600:
			expectOutcome(t, status, outcome, policy.Outcome{
				Verdict: policy.Retry, Reason: policy.ReasonServerError, Unhealthy: true, RetryAfter: 7 * time.Second,
			})
		default:
			expectOutcome(t, status, outcome, policy.Outcome{
				Verdict: policy.Retry, Reason: policy.ReasonUnexpectedStatus, Unhealthy: true,
			})
		}
	}
}

func expectOutcome(t *testing.T, status int, got, want policy.Outcome) {
	t.Helper()
	if got != want {
		t.Errorf("status %d: got %+v, want %+v", status, got, want)
	}
}

func TestClassifyError(t *testing.T) {
	t.Parallel()
	refused := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{"deadline", fmt.Errorf("send: %w", context.DeadlineExceeded), policy.ReasonTimeout},
		{"network timeout", &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, policy.ReasonTimeout},
		{"refused", refused, policy.ReasonConnection},
		{"unknown", errors.New("EOF"), policy.ReasonConnection},
		{"address", fmt.Errorf("dial: %w", policy.ErrForbiddenAddress), policy.ReasonForbiddenAddress},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := policy.ClassifyError(test.err)
			if got.Verdict != policy.Retry || got.Reason != test.want || !got.Unhealthy {
				t.Errorf("got %+v, want an unhealthy retry with reason %s", got, test.want)
			}
		})
	}
}
