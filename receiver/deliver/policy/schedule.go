package policy

import (
	"time"

	"github.com/postern-dev/postern/receiver/route"
)

// Decision is what happens to an event after an attempt.
type Decision struct {
	Verdict Verdict
	// Reason is empty for Done.
	Reason string
	// After is the wait before the next attempt, for Retry.
	After time.Duration
}

// Backoff is the wait after the given number of failed attempts: full jitter
// over an exponential ceiling of factor 2. random is in [0, 1).
//
//	attempts      1  2  3  4   5   6   7    8    9    10   11…
//	ceiling [s]   1  2  4  8  16  32  64  128  256   512  600   (initial 1, max 600)
func Backoff(retry route.Retry, attempts int, random float64) time.Duration {
	return time.Duration(random * float64(ceiling(retry, attempts)))
}

func ceiling(retry route.Retry, attempts int) time.Duration {
	limit := maxBackoff(retry)
	wait := time.Duration(retry.InitialBackoffSeconds) * time.Second
	for range attempts - 1 {
		if wait >= limit {
			break
		}
		wait *= 2
	}
	return min(wait, limit)
}

func maxBackoff(retry route.Retry) time.Duration {
	return time.Duration(retry.MaxBackoffSeconds) * time.Second
}

// Expired tells whether an event of this age is past maxAge.
func Expired(retry route.Retry, age time.Duration) bool {
	return retry.MaxAgeSeconds > 0 && age >= time.Duration(retry.MaxAgeSeconds)*time.Second
}

// Decide applies the endpoint's policy to an outcome. attempts includes the
// one just made; age is the time since the event was received. An event whose
// next attempt would come after maxAge is dead now: a longer wait would only
// hide it.
func Decide(retry route.Retry, outcome Outcome, attempts int, age time.Duration, random float64) Decision {
	if outcome.Verdict != Retry {
		return Decision{Verdict: outcome.Verdict, Reason: outcome.Reason}
	}
	if retry.MaxAttempts > 0 && attempts >= retry.MaxAttempts {
		return Decision{Verdict: Dead, Reason: ReasonAttemptsExhausted}
	}
	after := max(Backoff(retry, attempts, random), min(outcome.RetryAfter, maxBackoff(retry)))
	if Expired(retry, age+after) {
		return Decision{Verdict: Dead, Reason: ReasonExpired}
	}
	return Decision{Verdict: Retry, Reason: outcome.Reason, After: after}
}
