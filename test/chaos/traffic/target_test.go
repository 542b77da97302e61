package traffic_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/test/chaos/history"
	"github.com/postern-dev/postern/test/chaos/traffic"
)

func post(ctx context.Context, t *testing.T, url string) (*http.Response, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(`{"id":"one","type":"push"}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Postern-Event-Id", "ev")
	request.Header.Set("Postern-Endpoint", "a/b")
	request.Header.Set("Postern-Attempt", "3")
	request.Header.Set("Postern-Verified", "true")
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	if err == nil {
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
	}
	return response, err
}

func TestBehaviours(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		behaviour traffic.Behaviour
		code      int
		after     int
	}{
		{traffic.Behaviour{Kind: traffic.OK}, 200, 0},
		{traffic.Behaviour{Kind: traffic.Fail}, 500, 0},
		{traffic.Behaviour{Kind: traffic.Fail, Status: 503, RetryAfter: 4}, 503, 4},
		{traffic.Behaviour{Kind: traffic.Fail, Status: 422, Page: 4096}, 422, 0},
		{traffic.Behaviour{Kind: traffic.Busy, RetryAfter: 2}, 429, 2},
		{traffic.Behaviour{Kind: traffic.Gone}, 410, 0},
		{traffic.Behaviour{Kind: traffic.Redirect}, 302, 0},
		{traffic.Behaviour{Kind: traffic.Slow, Delay: time.Millisecond}, 200, 0},
		{traffic.Behaviour{Kind: traffic.Huge}, 200, 0},
		{traffic.Behaviour{Kind: traffic.Reset}, 0, 0},
		{traffic.Behaviour{Kind: traffic.Hang}, 0, 0},
	} {
		t.Run(string(test.behaviour.Kind), func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			w, err := history.Create(folder, "target")
			if err != nil {
				t.Fatal(err)
			}
			target := newTarget(t, w, "a/b/c")
			target.Behave(traffic.Share{Behaviour: test.behaviour, Weight: 1})
			ctx := t.Context()
			if test.behaviour.Kind == traffic.Hang {
				limited, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
				defer cancel()
				ctx = limited
			}
			response, err := post(ctx, t, target.URL())
			if (err != nil) != (test.code == 0) || err == nil && response.StatusCode != test.code {
				t.Errorf("got %v, %v, want %d", response, err, test.code)
			}
			target.Stop()
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			expectReceive(t, folder, test.code, test.after)
		})
	}
}

func expectReceive(t *testing.T, folder string, code, after int) {
	t.Helper()
	count := 0
	for record, err := range history.Read(folder) {
		if err != nil {
			t.Fatal(err)
		}
		count++
		got := *record.Receive
		got.TookNanos = 0
		want := history.Receive{
			Target: "a/b/c", Endpoint: "a/b", ID: "one", EventID: "ev", Attempt: 3,
			Body: history.Digest([]byte(`{"id":"one","type":"push"}`)), Verified: true, Code: code, RetryAfter: after,
		}
		if got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	if count != 1 {
		t.Errorf("%d records, want 1", count)
	}
}

func TestADeadTargetComesBackAtItsAddress(t *testing.T) {
	t.Parallel()
	w, err := history.Create(t.TempDir(), "target")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	target := newTarget(t, w, "a/b/c")
	url := target.URL()
	target.Stop()
	if _, err := post(t.Context(), t, url); err == nil {
		t.Error("a target that was stopped answers")
	}
	if err := target.Start(); err != nil {
		t.Fatal(err)
	}
	if response, err := post(t.Context(), t, url); err != nil || response.StatusCode != http.StatusOK || target.Received() != 1 {
		t.Errorf("got %v, %v, want 200 and one delivery", response, err)
	}
	target.Stop()
}
