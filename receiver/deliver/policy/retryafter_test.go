package policy_test

import (
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/deliver/policy"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]time.Duration{
		"":                               0,
		"0":                              0,
		"120":                            2 * time.Minute,
		" 5 ":                            5 * time.Second,
		"-5":                             0,
		"+5":                             0,
		"1.5":                            0,
		"soon":                           0,
		"99999999999999999999":           0,
		"Sun, 01 Mar 2026 12:01:30 GMT":  90 * time.Second,
		"Sunday, 01-Mar-26 12:01:30 GMT": 90 * time.Second,
		"Sun Mar  1 12:01:30 2026":       90 * time.Second,
		"Sun, 01 Mar 2026 11:59:59 GMT":  0,
		"Sun, 01 Mar 2026 12:01:30 CET":  0,
	} {
		if got := policy.RetryAfter(value, noon); got != want {
			t.Errorf("RetryAfter(%q) = %v, want %v", value, got, want)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	f.Add("120")
	f.Add("Sun, 01 Mar 2026 12:01:30 GMT")
	f.Fuzz(func(t *testing.T, value string) {
		if got := policy.RetryAfter(value, noon); got < 0 {
			t.Errorf("RetryAfter(%q) = %v, which is negative", value, got)
		}
	})
}
