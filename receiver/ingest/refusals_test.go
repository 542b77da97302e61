package ingest_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/ingest"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/route/routetest"
)

// TestRefusals goes through the table of refusals: the exact status, reason and
// headers, and nothing in the store.
func TestRefusals(t *testing.T) {
	t.Parallel()
	unavailable := func(reason string) func(*route.Endpoint) {
		return func(e *route.Endpoint) {
			e.Unavailable = &route.Unavailable{Reason: reason, Message: "for people"}
		}
	}
	now := time.Now()
	type edit = func(*http.Request)
	drop := func(name string) edit { return func(r *http.Request) { r.Header.Del(name) } }
	set := func(name, value string) edit { return func(r *http.Request) { r.Header.Set(name, value) } }
	host := func(name string) edit { return func(r *http.Request) { r.Host = name } }
	slack := func(at time.Time) edit {
		return func(r *http.Request) { routetest.SignSlack(r.Header, routetest.Key, at, payload) }
	}
	for name, test := range map[string]struct {
		route  func(*route.Endpoint)
		method string
		path   string
		body   []byte
		edit   edit
		status int
		reason string
		header map[string]string
	}{
		"unknown path":        {path: "/ci/other", status: 404, reason: "unknown_endpoint"},
		"path with a slash":   {path: "/ci/hook/", status: 404, reason: "unknown_endpoint"},
		"escaped path":        {path: "/ci/h%6Fok", status: 404, reason: "unknown_endpoint"},
		"escaped slash":       {path: "/ci%2Fhook", status: 404, reason: "unknown_endpoint"},
		"dots":                {path: "/ci/x/../hook", status: 404, reason: "unknown_endpoint"},
		"GET on unknown path": {method: "GET", path: "/ci/other", status: 404, reason: "unknown_endpoint"},
		"other host": {
			route: hosts("a.example.com"), edit: host("b.example.com"), status: 404, reason: "unknown_endpoint",
		},
		"method": {
			method: "GET", status: 405, reason: "method_not_allowed", header: map[string]string{"Allow": "POST"},
		},
		"method DELETE":  {method: "DELETE", status: 405, reason: "method_not_allowed"},
		"method OPTIONS": {method: "OPTIONS", status: 405, reason: "method_not_allowed"},
		"address":        {route: ranges("192.0.2.0/24"), status: 403, reason: "ip_not_allowed"},
		"address in header": {
			route: ranges("192.0.2.0/24"), edit: set("X-Forwarded-For", "192.0.2.1, 203.0.113.9"),
			status: 403, reason: "ip_not_allowed",
		},
		"address in Forwarded": {
			route: ranges("192.0.2.0/24"), edit: set("Forwarded", "for=192.0.2.1"),
			status: 403, reason: "ip_not_allowed",
		},
		"address in X-Real-IP": {
			route: ranges("192.0.2.0/24"), edit: set("X-Real-Ip", "192.0.2.1"), status: 403, reason: "ip_not_allowed",
		},
		"too large":        {route: maxBody(10), status: 413, reason: "body_too_large"},
		"no signature":     {edit: drop("X-Hub-Signature-256"), status: 401, reason: "signature_missing"},
		"only the old one": {edit: legacy, status: 401, reason: "signature_missing"},
		"no prefix": {
			edit: set("X-Hub-Signature-256", strings.Repeat("a", 64)), status: 401, reason: "signature_malformed",
		},
		"not hex": {
			edit: set("X-Hub-Signature-256", "sha256=zz"), status: 401, reason: "signature_malformed",
		},
		"wrong signature": {
			edit:   set("X-Hub-Signature-256", "sha256="+strings.Repeat("a", 64)),
			status: 401, reason: "signature_mismatch",
		},
		"other body": {body: bytes.TrimSpace(payload), status: 401, reason: "signature_mismatch"},
		"empty body": {body: []byte{}, status: 401, reason: "signature_mismatch"},
		"no timestamp": {
			route: routetest.Provider("slack"), edit: untimed,
			status: 401, reason: "timestamp_missing",
		},
		"stale": {
			route: routetest.Provider("slack"), edit: slack(now.Add(-time.Hour)),
			status: 401, reason: "timestamp_out_of_tolerance",
		},
		"from the future": {
			route: routetest.Provider("slack"), edit: slack(now.Add(time.Hour)),
			status: 401, reason: "timestamp_out_of_tolerance",
		},
		"no secret": {
			route:  unavailable("secret_unavailable"),
			status: 503, reason: "secret_unavailable", header: map[string]string{"Retry-After": "30"},
		},
		"no target": {
			route:  unavailable("no_target"),
			status: 503, reason: "no_target", header: map[string]string{"Retry-After": "30"},
		},
		"word of the manager": {
			route:  unavailable("some_new_word"),
			status: 503, reason: "some_new_word", header: map[string]string{"Retry-After": "30"},
		},
		"broken route": {
			route:  routetest.Provider("nonesuch"),
			status: 503, reason: "route_invalid", header: map[string]string{"Retry-After": "30"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.route == nil {
				test.route = func(*route.Endpoint) {}
			}
			r := newReceiver(t, ingest.Options{}, routetest.GitHub("hook", test.route))
			request := r.push(orElse(test.path, "/ci/hook"), "delivery-1", payload)
			request.Method = orElse(test.method, "POST")
			if test.body != nil {
				request = r.request("POST", "/ci/hook", test.body)
				routetest.SignGitHub(request.Header, routetest.Key, "delivery-1", "push", payload)
			}
			if test.edit != nil {
				test.edit(request)
			}
			got := r.do(t, request)
			if got.status != test.status || got.content["error"] != test.reason {
				t.Errorf("answer %d %s, want %d %s", got.status, got.body, test.status, test.reason)
			}
			if len(got.content) != 1 || got.header.Get("Content-Type") != "application/json" {
				t.Errorf("answer %q of type %q", got.body, got.header.Get("Content-Type"))
			}
			for name, want := range test.header {
				if got.header.Get(name) != want {
					t.Errorf("%s is %q, want %q", name, got.header.Get(name), want)
				}
			}
			if n := r.count(t, "uid-hook"); n != 0 {
				t.Errorf("%d events in the store", n)
			}
			if result := <-r.results; string(result.Reason) != test.reason || result.Outcome != ingest.OutcomeRejected {
				t.Errorf("observed %+v", result)
			}
			if !strings.Contains(r.log.String(), `"reason":"`+test.reason+`"`) {
				t.Errorf("the log does not say why:\n%s", r.log)
			}
		})
	}
}

func hosts(names ...string) func(*route.Endpoint) {
	return func(e *route.Endpoint) { e.Hosts = names }
}

func ranges(prefixes ...string) func(*route.Endpoint) {
	return func(e *route.Endpoint) { e.AllowedIPRanges = prefixes }
}

func maxBody(bytes int64) func(*route.Endpoint) {
	return func(e *route.Endpoint) { e.MaxBodyBytes = bytes }
}

// legacy leaves only the SHA-1 signature that GitHub sends beside the other.
func legacy(r *http.Request) {
	r.Header.Set("X-Hub-Signature", "sha1=6dbd9d5b1c1e7a1a5b1f7a4b3c2d1e0f9a8b7c6d")
	r.Header.Del("X-Hub-Signature-256")
}

// untimed is signed as Slack does, without the time that it signs.
func untimed(r *http.Request) {
	routetest.SignSlack(r.Header, routetest.Key, time.Now(), payload)
	r.Header.Del("X-Slack-Request-Timestamp")
}

func orElse(text, fallback string) string {
	if text == "" {
		return fallback
	}
	return text
}

func TestBeforeTheFirstTable(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, ingest.Options{})
	r.tables.Set(nil)
	got := r.do(t, r.push("/ci/hook", "1", payload))
	if got.status != 503 || got.content["error"] != "not_ready" || got.header.Get("Retry-After") == "" {
		t.Errorf("answer %d %s %v", got.status, got.body, got.header)
	}
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, ingest.Options{}, routetest.GitHub("hook", func(e *route.Endpoint) {
		e.RateLimit = &route.RateLimit{RequestsPerSecond: 1, Burst: 2}
	}), routetest.GitHub("other"))
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	r.clock.Store(&at)
	for i, want := range []int{200, 200, 429, 429} {
		got := r.do(t, r.push("/ci/hook", string(rune('a'+i)), payload))
		if got.status != want {
			t.Errorf("request %d: %d %s, want %d", i, got.status, got.body, want)
		}
		if want == 429 && (got.content["error"] != "rate_limited" || got.header.Get("Retry-After") != "1") {
			t.Errorf("request %d: %s %v", i, got.body, got.header)
		}
	}
	if got := r.do(t, r.push("/ci/other", "a", payload)); got.status != 200 {
		t.Errorf("another endpoint: %d %s", got.status, got.body)
	}
	later := at.Add(time.Second)
	r.clock.Store(&later)
	if got := r.do(t, r.push("/ci/hook", "e", payload)); got.status != 200 {
		t.Errorf("a second later: %d %s", got.status, got.body)
	}
}

func TestBodyLimitIsExact(t *testing.T) {
	t.Parallel()
	const limit = 40_000
	r := newReceiver(t, ingest.Options{}, routetest.GitHub("hook", maxBody(limit)))
	for _, chunked := range []bool{false, true} {
		for size, want := range map[int]int{limit: 200, limit + 1: 413, limit - 1: 200, 10 * limit: 413} {
			body := bytes.Repeat([]byte("x"), size)
			request := r.push("/ci/hook", "", body)
			if chunked {
				request.ContentLength = -1
			}
			got := r.do(t, request)
			if got.status != want {
				t.Errorf("%d bytes, chunked %v: %d %s, want %d", size, chunked, got.status, got.body, want)
			}
			if want == 413 && got.content["error"] != "body_too_large" {
				t.Errorf("%d bytes, chunked %v: %s", size, chunked, got.body)
			}
		}
	}
}

func TestMemoryBudget(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, ingest.Options{MemoryBudgetBytes: 256 << 10}, routetest.GitHub("hook"))
	big := bytes.Repeat([]byte("x"), 128<<10)
	got := r.do(t, r.push("/ci/hook", "big", big))
	if got.status != 503 || got.content["error"] != "overloaded" || got.header.Get("Retry-After") != "1" {
		t.Errorf("over the budget: %d %s %v", got.status, got.body, got.header)
	}
	// What refused and accepted requests took is given back.
	for i := range 50 {
		small := bytes.Repeat([]byte("y"), 30<<10)
		if got := r.do(t, r.push("/ci/hook", string(rune('A'+i)), small)); got.status != 200 {
			t.Fatalf("request %d within the budget: %d %s", i, got.status, got.body)
		}
	}
}

func TestStoreFull(t *testing.T) {
	t.Parallel()
	store := queue.NewMemory(queue.MemoryOptions{MaxBytes: 10 << 10})
	r := newReceiver(t, ingest.Options{Store: store}, routetest.GitHub("hook"))
	accepted := 0
	for i := range 100 {
		got := r.do(t, r.push("/ci/hook", string(rune('A'+i)), payload))
		if got.status == 200 {
			accepted++
			continue
		}
		if got.status != 503 || got.content["error"] != "store_full" || got.header.Get("Retry-After") != "30" {
			t.Fatalf("answer %d %s %v", got.status, got.body, got.header)
		}
		if accepted == 0 {
			t.Fatal("nothing was ever accepted")
		}
		return
	}
	t.Fatal("the store was never full")
}

func TestSecretsAndPayloadStayOutOfTheLog(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, ingest.Options{}, routetest.GitHub("hook", maxBody(1000)),
		routetest.GitHub("token", routetest.Provider("gitlab")))
	canary := "canary-in-the-payload"
	request := r.push("/ci/hook", "1", []byte(canary))
	request.Header.Set("X-Hub-Signature-256", "sha256="+strings.Repeat("b", 64))
	r.do(t, request)
	request = r.request("POST", "/ci/token", []byte(canary))
	request.Header.Set("X-Gitlab-Token", "canary-token")
	request.Header.Set("Authorization", "Bearer canary-bearer")
	r.do(t, request)
	r.do(t, r.request("POST", "/ci/unknown%0d%0ainjected%1b", []byte(canary)))
	log := r.log.String()
	if strings.Contains(log, "canary") || strings.Contains(log, routetest.Key) {
		t.Errorf("the log has what it must not:\n%s", log)
	}
	if strings.Count(log, "\n") != 3 || strings.Contains(log, "\x1b") {
		t.Errorf("want three lines without control characters:\n%q", log)
	}
}

func TestRejectionsAreSampled(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, ingest.Options{}, routetest.GitHub("hook"), routetest.GitHub("other"))
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	r.clock.Store(&at)
	for range 20 {
		r.do(t, r.request("POST", "/ci/hook", payload))
	}
	r.do(t, r.request("POST", "/ci/other", payload))
	if n := strings.Count(r.log.String(), "\n"); n != 2 {
		t.Errorf("%d lines, want one an endpoint:\n%s", n, r.log)
	}
	later := at.Add(time.Minute)
	r.clock.Store(&later)
	r.do(t, r.request("POST", "/ci/hook", payload))
	if !strings.Contains(r.log.String(), `"suppressed":19`) {
		t.Errorf("the next line does not tell how many were left out:\n%s", r.log)
	}
}
