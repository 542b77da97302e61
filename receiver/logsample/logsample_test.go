package logsample_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/logsample"
)

func TestTake(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	sampler := logsample.New(func() time.Time { return now })
	take := func(subject, reason string, wantSuppressed int, wantOK bool) {
		t.Helper()
		if suppressed, ok := sampler.Take(time.Second, subject, reason); suppressed != wantSuppressed || ok != wantOK {
			t.Errorf("%s %s at %v: %d %v, want %d %v", subject, reason, now, suppressed, ok, wantSuppressed, wantOK)
		}
	}
	take("github", "signature_mismatch", 0, true)
	for range 999 {
		take("github", "signature_mismatch", 0, false)
	}
	take("github", "body_too_large", 0, true)     // another reason
	take("stripe", "signature_mismatch", 0, true) // another endpoint
	now = now.Add(time.Second)
	take("github", "signature_mismatch", 999, true)
	now = now.Add(time.Second)
	take("github", "signature_mismatch", 0, true)
}

// Subjects without end must not take memory without end.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	sampler := logsample.New(time.Now)
	written := 0
	for range 2 {
		for i := range 20_000 {
			if _, ok := sampler.Take(time.Hour, strconv.Itoa(i), "reason"); ok {
				written++
			}
		}
	}
	if written <= 20_000 {
		t.Errorf("%d lines of 20,000 subjects seen twice: nothing was forgotten", written)
	}
}
