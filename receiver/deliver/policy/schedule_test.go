package policy_test

import (
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/deliver/policy"
	"github.com/postern-dev/postern/receiver/route"
)

var standard = route.Retry{InitialBackoffSeconds: 1, MaxBackoffSeconds: 600, MaxAgeSeconds: 259200}

// almostOne is the largest number that a source of chance returns.
const almostOne = 1 - 1e-12

func TestBackoffSchedule(t *testing.T) {
	t.Parallel()
	ceilings := []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600}
	for i, ceiling := range ceilings {
		attempts := i + 1
		ceiling *= time.Second
		if got := policy.Backoff(standard, attempts, 0); got != 0 {
			t.Errorf("after %d attempts the least wait is %v, want 0: full jitter", attempts, got)
		}
		if got := policy.Backoff(standard, attempts, 0.5); got != ceiling/2 {
			t.Errorf("after %d attempts the middle wait is %v, want %v", attempts, got, ceiling/2)
		}
		if got := policy.Backoff(standard, attempts, almostOne); got > ceiling || got < ceiling-time.Millisecond {
			t.Errorf("after %d attempts the longest wait is %v, want just under %v", attempts, got, ceiling)
		}
	}
	if got := policy.Backoff(standard, 1<<40, almostOne); got > 600*time.Second {
		t.Errorf("a huge number of attempts waits %v, more than maxBackoff", got)
	}
}

func TestBackoffIsUniform(t *testing.T) {
	t.Parallel()
	const steps = 1000
	var sum time.Duration
	for step := range steps {
		sum += policy.Backoff(standard, 4, float64(step)/steps)
	}
	if mean := sum / steps; mean < 3900*time.Millisecond || mean > 4100*time.Millisecond {
		t.Errorf("mean wait is %v, want about half of the ceiling of 8s", mean)
	}
}

func TestDecide(t *testing.T) {
	t.Parallel()
	limited := standard
	limited.MaxAttempts = 3
	retry := policy.Outcome{Verdict: policy.Retry, Reason: policy.ReasonServerError}
	asked := func(after time.Duration) policy.Outcome {
		outcome := retry
		outcome.RetryAfter = after
		return outcome
	}
	again := func(after time.Duration) policy.Decision {
		return policy.Decision{Verdict: policy.Retry, Reason: policy.ReasonServerError, After: after}
	}
	dead := func(reason string) policy.Decision {
		return policy.Decision{Verdict: policy.Dead, Reason: reason}
	}
	const maxAge = 259200 * time.Second
	for _, test := range []struct {
		name     string
		retry    route.Retry
		outcome  policy.Outcome
		attempts int
		age      time.Duration
		want     policy.Decision
	}{
		{"done", standard, policy.Outcome{Verdict: policy.Done}, 1, 2 * maxAge, policy.Decision{Verdict: policy.Done}},
		{"dead at once", standard, policy.Outcome{Verdict: policy.Dead, Reason: policy.ReasonGone}, 1, 0, dead("gone")},
		{"first retry", standard, retry, 1, 0, again(500 * time.Millisecond)},
		{"fourth retry", standard, retry, 4, 0, again(4 * time.Second)},
		{"below maxAttempts", limited, retry, 2, 0, again(time.Second)},
		{"maxAttempts", limited, retry, 3, 0, dead("attempts_exhausted")},
		{"beyond maxAttempts", limited, retry, 9, 0, dead("attempts_exhausted")},
		{"just before maxAge", standard, retry, 1, maxAge - 501*time.Millisecond, again(500 * time.Millisecond)},
		{"next one past maxAge", standard, retry, 1, maxAge - 500*time.Millisecond, dead("expired")},
		{"past maxAge", standard, retry, 1, maxAge, dead("expired")},
		{"no maxAge", route.Retry{InitialBackoffSeconds: 2, MaxBackoffSeconds: 2}, retry, 1, maxAge, again(time.Second)},
		{"Retry-After", standard, asked(20 * time.Second), 1, 0, again(20 * time.Second)},
		{"Retry-After below the schedule", standard, asked(time.Second), 6, 0, again(16 * time.Second)},
		{"Retry-After over maxBackoff", standard, asked(time.Hour), 1, 0, again(600 * time.Second)},
		{"Retry-After past maxAge", standard, asked(time.Hour), 1, maxAge - time.Minute, dead("expired")},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := policy.Decide(test.retry, test.outcome, test.attempts, test.age, 0.5); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}
