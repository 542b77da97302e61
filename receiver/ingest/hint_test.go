package ingest_test

import (
	"bytes"
	"net/http"

	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/ingest"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/route/routetest"
)

// TestRefusalsAreExplained: the owner reads in the log what went wrong, at most
// once a minute; the sender learns nothing of it.
func TestRefusalsAreExplained(t *testing.T) {
	t.Parallel()
	hook := routetest.GitHub("hook", func(e *route.Endpoint) {
		e.Keys = []route.Key{{Name: "secret", Value: route.SecretBytes(routetest.Key)}}
	})
	r := newReceiver(t, ingest.Options{}, hook)
	start := time.Date(2026, 3, 6, 12, 0, 0, 0, time.UTC)
	send := func(later time.Duration) {
		t.Helper()
		now := start.Add(later)
		r.clock.Store(&now)
		// Signed with the newline at its end, sent without it: what an editor or a proxy does.
		request := r.request(http.MethodPost, "/ci/hook", bytes.TrimSpace(payload))
		routetest.SignGitHub(request.Header, routetest.Key, "1", "push", payload)
		got := r.do(t, request)
		if got.status != http.StatusUnauthorized || len(got.content) != 1 {
			t.Fatalf("got %d %s, want 401 and the reason alone", got.status, got.body)
		}
	}
	explained := func() int { return strings.Count(r.log.String(), "Explained a refusal") }
	send(0)
	first := explained()
	if first == 0 || !strings.Contains(r.log.String(), `"hint":`) {
		t.Fatalf("the refusal is not explained:\n%s", r.log.String())
	}
	send(30 * time.Second)
	if n := explained(); n != first {
		t.Errorf("explained again within the minute:\n%s", r.log.String())
	}
	send(2 * time.Minute)
	if n := explained(); n != 2*first {
		t.Errorf("not explained after the minute:\n%s", r.log.String())
	}
	if strings.Contains(r.log.String(), routetest.Key) {
		t.Error("the log has the key")
	}
}
