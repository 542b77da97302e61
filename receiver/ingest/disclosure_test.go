package ingest_test

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/postern-dev/postern/receiver/ingest"
	"github.com/postern-dev/postern/receiver/route/routetest"
)

// TestUnknownPathsLookAlike: who guesses paths learns nothing of namespaces and
// endpoints that exist: every wrong guess gets the same answer, to the byte.
func TestUnknownPathsLookAlike(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, ingest.Options{}, routetest.GitHub("hook"), routetest.GitHub("paused", hosts("a.example.com")))
	answer := func(method, path string) string {
		got := r.do(t, r.request(method, path, nil))
		header := maps.Clone(got.header)
		delete(header, "Date")
		return fmt.Sprint(got.status, header, got.body)
	}
	want := answer(http.MethodPost, "/no/such")
	for _, path := range []string{
		"/", "/ci", "/ci/", "/ci/other", "/ci/hook/", "/ci/hook/x", "/CI/hook", "/ci/paused", "/other/hook", "/ci%2fhook",
	} {
		for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodDelete} {
			if got := answer(method, path); got != want {
				t.Errorf("%s %s is answered %s, want %s", method, path, got, want)
			}
		}
	}
	if strings.Contains(want, "hook") || strings.Contains(want, "ci") && !strings.Contains(want, "unknown_endpoint") {
		t.Errorf("the answer %s names something", want)
	}
}

// TestAnswersNameNobody: no answer to somebody who has no key tells more than
// its reason.
func TestAnswersNameNobody(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, ingest.Options{}, routetest.GitHub("hook", ranges("127.0.0.0/8"), maxBody(2048)))
	forged := r.push("/ci/hook", "1", payload)
	forged.Header.Set("X-Hub-Signature-256", "sha256="+strings.Repeat("0", 64))
	for _, request := range []*http.Request{
		forged, r.request(http.MethodPost, "/ci/hook", payload), r.request(http.MethodGet, "/ci/hook", nil),
		r.request(http.MethodPost, "/ci/hook", make([]byte, 4096)),
	} {
		got := r.do(t, request)
		if len(got.content) != 1 || got.content["error"] == "" || strings.ContainsAny(got.content["error"], " /:.") {
			t.Errorf("%s %s is answered %d %s, want one word", request.Method, request.URL.Path, got.status, got.body)
		}
		if got.header.Get("Server") != "" {
			t.Errorf("the answer names the server: %v", got.header)
		}
	}
}

// TestHostileTextStaysOneLogLine sends what terminals and log readers obey, in
// everything that a sender chooses.
func TestHostileTextStaysOneLogLine(t *testing.T) {
	t.Parallel()
	const hostile = "\x1b[31m\u202eevil\u2028\x7f{\"level\":\"ERROR\"}"
	r := newReceiver(t, ingest.Options{}, routetest.GitHub("hook"))
	for _, request := range []*http.Request{
		r.push("/ci/hook", hostile, payload), r.request(http.MethodPost, "/ci/"+"%0d%0a%1b[31mevil", payload),
	} {
		request.Header.Set("X-Hub-Signature-256", "sha256="+strings.Repeat("0", 64))
		request.Header["X-Github-Event"] = []string{"push\u2028\u202eevil"}
		request.Header.Set("X-Forwarded-For", "1.2.3.4\u2028evil")
		response, err := r.Client().Do(request)
		if err != nil {
			continue // what is no header value at all does not get so far
		}
		_ = response.Body.Close()
	}
	for line := range strings.Lines(r.log.String()) {
		if strings.ContainsAny(strings.TrimSuffix(line, "\n"), "\x1b\u202e\u2028\x7f\n\r") || !strings.HasPrefix(line, `{"time"`) {
			t.Errorf("log line %q", line)
		}
	}
	if !strings.Contains(r.log.String(), "unknown_endpoint") {
		t.Error("nothing was logged")
	}
}
