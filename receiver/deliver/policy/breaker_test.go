package policy_test

import (
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/deliver/policy"
)

var (
	settings = policy.BreakerSettings{
		Threshold: 3, MaxBackoff: 30 * time.Second, ConnectBackoff: time.Second, Retry: standard,
	}
	unhealthy = policy.Outcome{Verdict: policy.Retry, Unhealthy: true}
)

func opened(t *testing.T) *policy.Breaker {
	t.Helper()
	breaker := &policy.Breaker{}
	for n := range 3 {
		if got, want := breaker.Failure(settings, unhealthy, false, noon, 0), n == 2; got != want {
			t.Fatalf("failure %d opened the breaker: %v, want %v", n+1, got, want)
		}
	}
	return breaker
}

func TestBreakerOpensAfterFailuresInARow(t *testing.T) {
	t.Parallel()
	breaker := &policy.Breaker{}
	for range 10 {
		breaker.Failure(settings, unhealthy, false, noon, 0)
		breaker.Failure(settings, unhealthy, false, noon, 0)
		if breaker.Success() || !breaker.Closed() {
			t.Fatal("two failures and a success opened the breaker of threshold 3")
		}
	}
	breaker = opened(t)
	if breaker.Closed() {
		t.Fatal("three failures in a row did not open the breaker")
	}
	if breaker.Failure(settings, unhealthy, false, noon, 0) {
		t.Error("a late failure opened the breaker a second time")
	}
}

func TestBreakerLetsOneProbeThroughPerBackoff(t *testing.T) {
	t.Parallel()
	breaker, now := opened(t), noon
	for i, wait := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
		wait = wait * time.Second / 2 // chance is 0: half of the ceiling
		if got := breaker.Until().Sub(now); got != wait {
			t.Fatalf("back-off %d is %v, want %v", i+1, got, wait)
		}
		if breaker.Probe(now.Add(wait - 1)) {
			t.Fatalf("a probe went before back-off %d was over", i+1)
		}
		now = now.Add(wait)
		if !breaker.Probe(now) || breaker.Probe(now) {
			t.Fatalf("after back-off %d exactly one probe must go", i+1)
		}
		breaker.Failure(settings, unhealthy, false, now, 0)
		if !breaker.Probing() {
			t.Fatal("a late failure of an older attempt ended the probe")
		}
		if breaker.Failure(settings, unhealthy, true, now, 0) {
			t.Fatal("a failed probe is no change: the breaker was open")
		}
	}
	breaker.Probe(now.Add(time.Minute))
	if !breaker.Success() || !breaker.Closed() {
		t.Error("a healthy answer did not close the breaker")
	}
	if breaker.Failure(settings, unhealthy, false, now, 0) {
		t.Error("the first failure after closing opened the breaker again")
	}
}

func TestBreakerWaitsForRetryAfter(t *testing.T) {
	t.Parallel()
	for asked, want := range map[time.Duration]time.Duration{
		time.Minute: time.Minute,
		time.Hour:   10 * time.Minute, // maxBackoffSeconds
	} {
		breaker := opened(t)
		breaker.Probe(noon.Add(time.Minute))
		breaker.Failure(settings, policy.Outcome{Unhealthy: true, RetryAfter: asked}, true, noon, 0)
		if got := breaker.Until().Sub(noon); got != want {
			t.Errorf("Retry-After %v: the next probe waits %v, want %v", asked, got, want)
		}
	}
}

func TestBreakerAbandonedProbeGoesAgain(t *testing.T) {
	t.Parallel()
	breaker := opened(t)
	now := noon.Add(time.Minute)
	if !breaker.Probe(now) {
		t.Fatal("no probe went")
	}
	breaker.Abandon()
	if !breaker.Probe(now) {
		t.Error("after an abandoned probe the next did not go")
	}
}

func TestBreakerWantsAConnectionFirst(t *testing.T) {
	t.Parallel()
	unreached := policy.Outcome{Verdict: policy.Retry, Unhealthy: true, Unreached: true}
	breaker, now := opened(t), noon.Add(time.Minute)
	breaker.Probe(now)
	breaker.Failure(settings, unreached, true, now, 0)
	for range 5 {
		if got := breaker.Until().Sub(now); got != 500*time.Millisecond {
			t.Fatalf("the next connection waits %v, want half a second", got)
		}
		now = breaker.Until()
		if !breaker.Unreached() || breaker.Probe(now) {
			t.Fatal("an event went to a target that no connection can be made to")
		}
		breaker.NotConnected(settings, now, 0)
	}
	breaker.Connected()
	if breaker.Closed() || breaker.Unreached() || !breaker.Probe(now.Add(time.Second)) {
		t.Error("once there is a connection, one event must go and no more")
	}
	breaker.Failure(settings, unhealthy, true, now, 0)
	if breaker.Unreached() {
		t.Error("a target that answered is not unreached")
	}
}
