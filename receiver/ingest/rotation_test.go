package ingest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/postern-dev/postern/receiver/ingest"
	"github.com/postern-dev/postern/receiver/metrics"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/route/routetest"
)

const olderKey = "Request was verified with an older key"

// TestRotation: both keys count while both are listed; who still uses the old
// one is told once an hour and counted every time.
func TestRotation(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	counted := metrics.New(registry)
	hook := routetest.GitHub("hook", func(e *route.Endpoint) {
		e.Keys = []route.Key{
			{Name: "current", Value: route.SecretBytes("the new key")},
			{Name: "previous", Value: route.SecretBytes(routetest.Key)},
		}
	})
	counted.SetRoutes([]*route.Endpoint{hook}, 0)
	r := newReceiver(t, ingest.Options{Metrics: counted}, hook)
	start := time.Date(2026, 3, 6, 12, 0, 0, 0, time.UTC)
	send := func(key, id string, later time.Duration) {
		t.Helper()
		now := start.Add(later)
		r.clock.Store(&now)
		request := r.request(http.MethodPost, "/ci/hook", payload)
		routetest.SignGitHub(request.Header, key, id, "push", payload)
		if got := r.do(t, request); got.content["status"] != "accepted" {
			t.Fatalf("%s: %d %s", id, got.status, got.body)
		}
	}
	lines := func(what string, want int) {
		t.Helper()
		if n := strings.Count(r.log.String(), olderKey); n != want {
			t.Errorf("%s: %d lines, want %d:\n%s", what, n, want, r.log.String())
		}
	}
	send("the new key", "1", 0)
	lines("with the new key", 0)
	send(routetest.Key, "2", time.Minute)
	send(routetest.Key, "3", 2*time.Minute)
	send(routetest.Key, "4", time.Hour)
	lines("within the hour", 1)
	send(routetest.Key, "5", time.Hour+time.Minute)
	lines("after the hour", 2)
	if log := r.log.String(); !strings.Contains(log, `"key":"previous","suppressed":2`) ||
		strings.Contains(log, routetest.Key) || strings.Contains(log, "the new key") {
		t.Errorf("the log does not name the key, or shows one:\n%s", log)
	}
	want := `
# HELP postern_secret_used_total Requests verified with each key of the endpoint's Secret.
# TYPE postern_secret_used_total counter
postern_secret_used_total{endpoint="hook",key="current",namespace="ci",source="github"} 1
postern_secret_used_total{endpoint="hook",key="previous",namespace="ci",source="github"} 4
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "postern_secret_used_total"); err != nil {
		t.Error(err)
	}
	if n, err := testutil.GatherAndCount(registry, "postern_secret_last_used_timestamp_seconds"); err != nil || n != 2 {
		t.Errorf("%d times of last use (%v), want one for each key", n, err)
	}
}

// TestRotationIsQuietWithOneKey: the only key is not an older one, whatever it
// is called.
func TestRotationIsQuietWithOneKey(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, ingest.Options{}, routetest.GitHub("hook"))
	if got := r.do(t, r.push("/ci/hook", "1", payload)); got.content["status"] != "accepted" {
		t.Fatalf("answer %d %s", got.status, got.body)
	}
	if strings.Contains(r.log.String(), olderKey) {
		t.Errorf("a line about rotation:\n%s", r.log.String())
	}
}
