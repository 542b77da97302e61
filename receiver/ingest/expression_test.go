package ingest_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/postern-dev/postern/receiver/ingest"
	"github.com/postern-dev/postern/receiver/metrics"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/route/routetest"
)

func when(name, expression string) route.Target {
	return routetest.Target(name, func(t *route.Target) { t.WhenExpression = expression })
}

func targets(all ...route.Target) func(*route.Endpoint) {
	return func(e *route.Endpoint) { e.Targets = all }
}

// states are where the one event of an endpoint stands, a word for each target.
func (r *receiver) states(t testing.TB, uid string) string {
	t.Helper()
	var words []string
	for _, state := range r.stored(t, uid).Targets {
		words = append(words, strings.Trim(fmt.Sprintf("%s:%s:%s", state.Target, state.Status, state.Reason), ":"))
	}
	return strings.Join(words, " ")
}

// An expression that fails decides nothing: the event is accepted, for the other
// targets as usual and for this one as a dead letter.
func TestFailedExpressionLosesNothing(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		edit func(*route.Endpoint)
		body string
		want string
	}{
		"missing field": {targets(when("a", "body.action == 'opened'")), `{}`, "a:dead:expression_failed"},
		"one of three": {
			targets(when("a", "body.n.m == 1"), when("b", "body.n == 1"), routetest.Target("c")), `{"n":1}`,
			"b:pending c:pending a:dead:expression_failed",
		},
		"one fails, one is false": {
			targets(when("a", "body.n.m == 1"), when("b", "body.n == 2")), `{"n":1}`, "a:dead:expression_failed",
		},
		"not JSON":      {targets(when("a", "body.n == 1")), `n=1`, "a:dead:expression_failed"},
		"not a bool":    {targets(when("a", "body.n")), `{"n":1}`, "a:dead:expression_failed"},
		"absent header": {targets(when("a", "headers['x-absent'] == '1'")), `{}`, "a:dead:expression_failed"},
		"over a limit": {
			targets(when("a", "body.all(a, body.all(b, body.all(c, a + b + c >= 0)))")),
			"[" + strings.Repeat("1,", 400) + "1]", "a:dead:expression_failed",
		},
		"type fails, all types": {eventType("body.kind"), `{}`, "builder:pending"},
		"type fails, types that the provider's is none of": {func(e *route.Endpoint) {
			e.EventTypeExpression = "body.kind"
			e.Targets[0].EventTypes = []string{"order.*"}
		}, `{}`, "builder:dead:expression_failed"},
		"type fails, types that the provider's is one of": {func(e *route.Endpoint) {
			e.EventTypeExpression = "body.kind"
			e.Targets[0].EventTypes = []string{"push"}
		}, `{}`, "builder:pending"},
		"key fails": {func(e *route.Endpoint) { e.Deduplication.KeyExpression = "body.key" }, `{}`, "builder:pending"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			registry := prometheus.NewRegistry()
			r := newReceiver(t, ingest.Options{Metrics: metrics.New(registry)}, routetest.GitHub("hook", test.edit))
			got := r.do(t, r.push("/ci/hook", "1", []byte(test.body)))
			if got.status != 200 || got.content["status"] != "accepted" {
				t.Fatalf("answer %d %s", got.status, got.body)
			}
			if states := r.states(t, "uid-hook"); states != test.want {
				t.Errorf("the event stands at %q, want %q", states, test.want)
			}
			if total(t, registry, "postern_expression_failures_total") == 0 ||
				!strings.Contains(r.log.String(), "expression_failed") {
				t.Errorf("the failure is not counted, or not in the log:\n%s", r.log)
			}
			died := float64(strings.Count(test.want, "dead"))
			if counted := total(t, registry, "postern_deliveries_total"); counted != died {
				t.Errorf("%v deaths counted, want %v", counted, died)
			}
			again := r.do(t, r.push("/ci/hook", "1", []byte(test.body)))
			if again.content["status"] != "duplicate" || again.content["id"] != got.content["id"] {
				t.Errorf("the retry: %d %s", again.status, again.body)
			}
		})
	}
}

// total adds up the series of a counter.
func total(t testing.TB, registry *prometheus.Registry, name string) (sum float64) {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, series := range family.GetMetric() {
			if family.GetName() == name {
				sum += series.GetCounter().GetValue()
			}
		}
	}
	return sum
}

func eventType(expression string) func(*route.Endpoint) {
	return func(e *route.Endpoint) { e.EventTypeExpression = expression }
}

// A direct delivery has no dead letters: its sender is told to try again, and the
// retry is the same event, not a duplicate.
func TestFailedExpressionOfADirectDelivery(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, ingest.Options{}, routetest.GitHub("hook", targets(when("a", "body.n == 1")), func(e *route.Endpoint) {
		e.Delivery = route.DeliveryDirect
	}))
	for range 2 {
		got := r.do(t, r.push("/ci/hook", "1", []byte(`{}`)))
		if got.status != 503 || got.content["error"] != "expression_failed" || got.header.Get("Retry-After") == "" {
			t.Errorf("answer %d %s %v", got.status, got.body, got.header)
		}
	}
}

// Expressions see the request that targets get.
func TestExpressionsSeeTheRequest(t *testing.T) {
	t.Parallel()
	const form = "application/x-www-form-urlencoded"
	for name, test := range map[string]struct {
		key, path, contentType, encoding, body, want string
	}{
		"method and path": {key: "method + path", body: "{}", want: "POST/ci/hook"},
		"query":           {key: "query.a[1]", path: "?a=1&a=2%20", body: "{}", want: "2 "},
		"form":            {key: "form.a[0]", contentType: form, body: "a=1&b=2", want: "1"},
		"payload":         {key: "body.id", contentType: form, body: "payload=%7B%22id%22%3A7%7D", want: "7"},
		"digest": {
			key: "bodySHA256", body: "", want: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		},
		"gzip":            {key: "body.id", encoding: "gzip", body: `{"id":"packed"}`, want: "packed"},
		"byte order mark": {key: "body.id", body: "\ufeff" + `{"id":"marked"}`, want: "marked"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReceiver(t, ingest.Options{}, routetest.GitHub("hook", routetest.Provider("none"), eventType(test.key)))
			content := []byte(test.body)
			if test.encoding != "" {
				content = compress(t, content)
			}
			request := r.request("POST", "/ci/hook"+test.path, content)
			request.Header.Set("Content-Type", test.contentType)
			request.Header.Set("Content-Encoding", test.encoding)
			if got := r.do(t, request); got.status != 200 {
				t.Fatalf("answer %d %s", got.status, got.body)
			}
			event := r.stored(t, "uid-hook").Event
			if event.Type != test.want {
				t.Errorf("%s gives %q, want %q", test.key, event.Type, test.want)
			}
			if !bytes.Equal(event.Body, content) || event.Header.Get("Content-Encoding") != test.encoding {
				t.Errorf("what targets get is %q with %v", event.Body, event.Header)
			}
		})
	}
}

// No expression may see what proved the request: its value would travel on as the
// event's type.
func TestExpressionsSeeNoCredential(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		provider, expression, path string
		header                     http.Header
	}{
		"header": {
			provider: "gitlab", expression: "headers['x-gitlab-token']", header: http.Header{"X-Gitlab-Token": {routetest.Key}},
		},
		"query": {provider: "mailchimp", expression: "query.secret[0]", path: "?secret=" + url.QueryEscape(routetest.Key)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReceiver(t, ingest.Options{}, routetest.GitHub("hook",
				routetest.Provider(test.provider), eventType(test.expression)))
			request := r.request("POST", "/ci/hook"+test.path, []byte("{}"))
			for name, values := range test.header {
				request.Header[name] = values
			}
			if got := r.do(t, request); got.status != 200 {
				t.Fatalf("answer %d %s\n%s", got.status, got.body, r.log)
			}
			if event := r.stored(t, "uid-hook").Event; strings.Contains(event.Type, routetest.Key) {
				t.Errorf("the event's type is %q", event.Type)
			}
			if strings.Contains(r.log.String(), routetest.Key) {
				t.Errorf("the log has the credential:\n%s", r.log)
			}
		})
	}
}

// What decoding takes comes out of the budget of all requests, and goes back.
func TestDecodingIsWithinTheBudget(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, ingest.Options{MemoryBudgetBytes: 1 << 20}, routetest.GitHub("hook",
		routetest.Provider("none"), maxBody(1<<20), eventType("body.id")))
	send := func(content string) reply {
		request := r.request("POST", "/ci/hook", compress(t, []byte(content)))
		request.Header.Set("Content-Encoding", "gzip")
		return r.do(t, request)
	}
	for range 3 {
		got := send(`{"id":"a","x":"` + strings.Repeat("x", 1<<20) + `"}`)
		if got.status != 503 || got.content["error"] != "overloaded" {
			t.Errorf("large: %d %s", got.status, got.body)
		}
	}
	for i := range 20 {
		if got := send(fmt.Sprintf(`{"id":%d,"x":"%s"}`, i, strings.Repeat("x", 50_000))); got.status != 200 {
			t.Errorf("small: %d %s", got.status, got.body)
		}
	}
}

func compress(t testing.TB, content []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
