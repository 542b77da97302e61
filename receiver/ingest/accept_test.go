package ingest_test

import (
	"bytes"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/ingest"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/route/routetest"
)

var eventIDForm = regexp.MustCompile("^[0-9a-f]{32}$")

func TestAcceptedEventIsKeptByteForByte(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, ingest.Options{}, routetest.GitHub("hook"))
	request := r.push("/ci/hook?b=2&a=%20x&a=", "72d3162e-cc78-11e3-81ab-4c9367dc0958", payload)
	request.Header.Set("Content-Encoding", "identity")
	got := r.do(t, request)
	want := got.content["id"]
	if got.status != 200 || got.content["status"] != "accepted" || !eventIDForm.MatchString(want) {
		t.Fatalf("answer %d %s, want accepted", got.status, got.body)
	}
	event := r.stored(t, "uid-hook").Event
	if !bytes.Equal(event.Body, payload) {
		t.Errorf("body is %q", event.Body)
	}
	if event.ID != want || event.Type != "push" || event.DeliveryID != "72d3162e-cc78-11e3-81ab-4c9367dc0958" {
		t.Errorf("event is %+v", event)
	}
	if event.RawQuery != "b=2&a=%20x&a=" || event.Method != http.MethodPost ||
		!event.Verified || event.Source != "github" {
		t.Errorf("event is %+v", event)
	}
	if event.Header.Get("Content-Encoding") != "identity" || event.Header.Get("X-Github-Event") != "push" {
		t.Errorf("headers are %v", event.Header)
	}
	result := <-r.results
	if result.Event.ID != want || result.Status != 200 || !result.Client.IsLoopback() {
		t.Errorf("observed %+v", result)
	}
}

// TestWithoutVerificationNothingIsVerified: nobody objected to the request, and
// nobody vouched for it either.
func TestWithoutVerificationNothingIsVerified(t *testing.T) {
	t.Parallel()
	endpoint := routetest.GitHub("hook")
	endpoint.Source, endpoint.Keys = route.Source{Provider: "none", Enforcement: route.EnforcementEnforce}, nil
	endpoint.Deduplication.KeyExpression = "string(body.order)"
	r := newReceiver(t, ingest.Options{}, endpoint)
	for i, want := range []string{"accepted", "duplicate"} {
		got := r.do(t, r.request(http.MethodPost, "/ci/hook", fmt.Appendf(nil, `{"order":7,"try":%d}`, i)))
		if got.status != 200 || got.content["status"] != want {
			t.Errorf("answer %d %s, want %s", got.status, got.body, want)
		}
	}
	if r.stored(t, "uid-hook").Event.Verified {
		t.Error("an event that nothing verified is marked as verified")
	}
}

func TestCopiesMakeOneEvent(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, ingest.Options{}, routetest.GitHub("hook"))
	const copies = 32
	answers := make(chan reply, copies)
	var wait sync.WaitGroup
	for range copies {
		wait.Go(func() { answers <- r.do(t, r.push("/ci/hook", "same", payload)) })
	}
	wait.Wait()
	close(answers)
	accepted := 0
	want := r.stored(t, "uid-hook").Event.ID
	for got := range answers {
		if got.status != 200 || got.content["id"] != want {
			t.Errorf("answer %d %s", got.status, got.body)
		}
		if got.content["status"] == "accepted" {
			accepted++
		} else if got.content["status"] != "duplicate" {
			t.Errorf("answer %s", got.body)
		}
	}
	if accepted != 1 || r.count(t, "uid-hook") != 1 {
		t.Errorf("%d accepted, %d stored; want one", accepted, r.count(t, "uid-hook"))
	}
}

// TestDeduplication sends two requests and says whether the second is a copy.
func TestDeduplication(t *testing.T) {
	t.Parallel()
	key := func(expression string) func(*route.Endpoint) {
		return func(e *route.Endpoint) { e.Deduplication.KeyExpression = expression }
	}
	guard := func(e *route.Endpoint) { e.Deduplication.ReplayGuard = route.ReplayGuardBody }
	off := func(e *route.Endpoint) { e.Deduplication.WindowSeconds = 0 }
	none := routetest.Provider("none")
	for name, test := range map[string]struct {
		route            func(*route.Endpoint)
		firstID, lastID  string
		first, last      string
		duplicate        bool
		warnedExpression bool
	}{
		"same id": {firstID: "a", lastID: "a", first: `{}`, last: `{}`, duplicate: true},
		"same id, other body": {
			firstID: "a", lastID: "a", first: `{}`, last: `{"pending_webhooks":1}`, duplicate: true,
		},
		"other id":          {firstID: "a", lastID: "b", first: `{}`, last: `{}`},
		"no id, same body":  {first: `{}`, last: `{}`, route: none},
		"no id, other body": {first: `{}`, last: `{ }`, route: none},
		"own key": {
			route: key("body.k"), firstID: "a", lastID: "b", first: `{"k":1}`, last: `{"k":1,"x":1}`, duplicate: true,
		},
		"own key differs": {
			route: key("body.k"), firstID: "a", lastID: "a", first: `{"k":1}`, last: `{"k":2}`,
		},
		"own key fails": {
			route: key("body.k"), firstID: "a", lastID: "a", first: `{}`, last: `{}`, duplicate: true, warnedExpression: true,
		},
		"own key fails, other id": {
			route: key("body.k"), firstID: "a", lastID: "b", first: `{}`, last: `{}`, warnedExpression: true,
		},
		"off": {route: off, firstID: "a", lastID: "a", first: `{}`, last: `{}`},
		"guarded body": {
			route: guard, firstID: "a", lastID: "b", first: `{}`, last: `{}`, duplicate: true,
		},
		"guarded, other body": {route: guard, firstID: "a", lastID: "b", first: `{}`, last: `{ }`},
		"guarded, other body, same id": {
			route: guard, firstID: "a", lastID: "a", first: `{}`, last: `{ }`, duplicate: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.route == nil {
				test.route = func(*route.Endpoint) {}
			}
			r := newReceiver(t, ingest.Options{}, routetest.GitHub("hook", test.route))
			first := r.do(t, r.push("/ci/hook", test.firstID, []byte(test.first)))
			last := r.do(t, r.push("/ci/hook", test.lastID, []byte(test.last)))
			if first.content["status"] != "accepted" {
				t.Fatalf("first: %d %s", first.status, first.body)
			}
			want := "accepted"
			if test.duplicate {
				want = "duplicate"
			}
			if last.status != 200 || last.content["status"] != want {
				t.Errorf("second: %d %s, want %s", last.status, last.body, want)
			}
			if same := first.content["id"] == last.content["id"]; same != test.duplicate {
				t.Errorf("ids %s and %s", first.content["id"], last.content["id"])
			}
			if warned := strings.Contains(r.log.String(), "expression_failed"); warned != test.warnedExpression {
				t.Errorf("warned of an expression: %v, want %v\n%s", warned, test.warnedExpression, r.log)
			}
		})
	}
}

func TestIgnoredWhenNoTargetMatches(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, ingest.Options{}, routetest.GitHub("hook", func(e *route.Endpoint) {
		e.Targets[0].EventTypes = []string{"release"}
	}))
	got := r.do(t, r.push("/ci/hook", "1", payload))
	if got.status != 200 || got.body != "{\"status\":\"ignored\"}\n" || r.count(t, "uid-hook") != 0 {
		t.Errorf("answer %d %s, %d events", got.status, got.body, r.count(t, "uid-hook"))
	}
}

func TestEventGoesToMatchingTargetsOnly(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, ingest.Options{}, routetest.GitHub("hook", func(e *route.Endpoint) {
		e.EventTypeExpression = "headers['x-github-event'] + '/' + body.ref"
		e.Targets = []route.Target{
			routetest.Target("all"),
			routetest.Target("pushes", func(t *route.Target) { t.EventTypes = []string{"push/*"} }),
			routetest.Target("releases", func(t *route.Target) { t.EventTypes = []string{"release"} }),
			routetest.Target("main", func(t *route.Target) { t.WhenExpression = "body.ref.endsWith('/main')" }),
			routetest.Target("typed", func(t *route.Target) { t.WhenExpression = "event.type == 'push/refs/heads/main'" }),
			routetest.Target("other", func(t *route.Target) { t.WhenExpression = "body.ref == 'x'" }),
		}
	}))
	if got := r.do(t, r.push("/ci/hook", "1", payload)); got.status != 200 {
		t.Fatalf("answer %d %s", got.status, got.body)
	}
	record := r.stored(t, "uid-hook")
	var names []string
	for _, state := range record.Targets {
		names = append(names, state.Target)
	}
	if fmt.Sprint(names) != "[all pushes main typed]" || record.Type != "push/refs/heads/main" {
		t.Errorf("targets %v of type %q", names, record.Type)
	}
}

func TestHandshakeMakesNoEvent(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, ingest.Options{}, routetest.GitHub("hook", routetest.Provider("slack")))
	const challenge = "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"
	body := []byte(`{"token":"t","challenge":"` + challenge + `","type":"url_verification"}`)
	request := r.request("POST", "/ci/hook", body)
	routetest.SignSlack(request.Header, routetest.Key, time.Now(), body)
	got := r.do(t, request)
	if got.status != 200 || !strings.Contains(got.body, challenge) {
		t.Errorf("answer %d %q", got.status, got.body)
	}
	if result := <-r.results; result.Outcome != ingest.OutcomeHandshake {
		t.Errorf("observed %+v", result)
	}
	if r.count(t, "uid-hook") != 0 {
		t.Error("the handshake made an event")
	}
}

func TestGetHandshakeIsServedWhereTheSourceHasOne(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, ingest.Options{}, routetest.GitHub("hook", routetest.Provider("meta"), func(e *route.Endpoint) {
		e.Source.Options = map[string]string{"verifyToken": "token"}
	}))
	got := r.do(t, r.request("GET", "/ci/hook?hub.mode=subscribe&hub.verify_token=token&hub.challenge=1158201444", nil))
	if got.status != 200 || got.body != "1158201444" {
		t.Errorf("answer %d %q", got.status, got.body)
	}
	got = r.do(t, r.request("PUT", "/ci/hook", nil))
	if got.status != 405 || got.header.Get("Allow") == "" || !strings.Contains(got.header.Get("Allow"), "GET") {
		t.Errorf("answer %d %v", got.status, got.header)
	}
}

func TestAuditLetsThroughMarked(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, ingest.Options{}, routetest.GitHub("hook", func(e *route.Endpoint) {
		e.Source.Enforcement = route.EnforcementAudit
		e.Targets[0].EventTypes = []string{"push"}
	}))
	forged := r.push("/ci/hook", "id-1", payload)
	forged.Header.Set("X-Hub-Signature-256", "sha256="+strings.Repeat("a", 64))
	got := r.do(t, forged)
	if got.status != 200 || got.content["status"] != "accepted" {
		t.Fatalf("answer %d %s", got.status, got.body)
	}
	if result := <-r.results; result.Reason != "signature_mismatch" || result.Outcome != ingest.OutcomeAccepted {
		t.Errorf("observed %+v", result)
	}
	event := r.stored(t, "uid-hook").Event
	if event.Verified || event.Type != "push" || event.DeliveryID != "id-1" {
		t.Errorf("event is %+v", event)
	}
	// The forged one must not have taken the id of the real one.
	if got := r.do(t, r.push("/ci/hook", "id-1", payload)); got.content["status"] != "accepted" {
		t.Errorf("the real event: %d %s", got.status, got.body)
	}
}

func TestForwardedHeaders(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, ingest.Options{}, routetest.GitHub("hook"),
		routetest.GitHub("token", routetest.Provider("gitlab"), func(e *route.Endpoint) {
			e.Keys[0].Value = route.SecretBytes("a-plain-token")
		}))
	request := r.push("/ci/hook", "1", payload)
	for name, value := range map[string]string{
		"Connection": "X-Listed, close", "X-Listed": "1", "Keep-Alive": "1", "Te": "trailers",
		"Proxy-Authorization": "Basic x", "Proxy-Connection": "x", "Upgrade": "h2c", "Trailer": "X-T",
		"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Host": "evil", "X-Forwarded-Prefix": "/x", "Forwarded": "for=x",
		"X-Real-Ip": "192.0.2.1", "X_forwarded_for": "192.0.2.1", "Postern_verified": "true",
		"Postern-Verified": "true", "Postern-Event-Id": "forged",
		"Traceparent":   "00-" + strings.Repeat("a", 32) + "-" + strings.Repeat("b", 16) + "-01",
		"Authorization": "Bearer for-the-target", "X-Custom": "kept", "Tracestate": "vendor=1", "Cookie": "a=b",
	} {
		request.Header[name] = []string{value}
	}
	if got := r.do(t, request); got.status != 200 {
		t.Fatalf("answer %d %s", got.status, got.body)
	}
	event := r.stored(t, "uid-hook").Event
	want := http.Header{
		"Accept-Encoding": {"gzip"}, "Authorization": {"Bearer for-the-target"}, "Content-Type": {"application/json"},
		"Cookie": {"a=b"}, "Tracestate": {"vendor=1"}, "User-Agent": {"GitHub-Hookshot/044aadd"},
		"X-Custom": {"kept"}, "X-Github-Delivery": {"1"}, "X-Github-Event": {"push"},
		"X-Hub-Signature-256": request.Header["X-Hub-Signature-256"],
	}
	if fmt.Sprint(event.Header) != fmt.Sprint(want) {
		t.Errorf("headers are\n%v\nwant\n%v", event.Header, want)
	}
	if !strings.HasPrefix(event.TraceParent, "00-aaaa") {
		t.Errorf("trace parent is %q", event.TraceParent)
	}

	request = r.request("POST", "/ci/token", payload)
	request.Header.Set("X-Gitlab-Token", "a-plain-token")
	request.Header.Set("X-Gitlab-Event", "Push Hook")
	if got := r.do(t, request); got.status != 200 {
		t.Fatalf("answer %d %s", got.status, got.body)
	}
	if header := r.stored(t, "uid-token").Event.Header; header.Get("X-Gitlab-Token") != "" {
		t.Errorf("the credential travels on: %v", header)
	}
}

func TestMalformedTraceContextIsDropped(t *testing.T) {
	t.Parallel()
	for _, value := range []string{
		"", "00-", "01-" + strings.Repeat("a", 32) + "-" + strings.Repeat("b", 16) + "-01",
		"00-" + strings.Repeat("0", 32) + "-" + strings.Repeat("b", 16) + "-01",
		"00-" + strings.Repeat("a", 32) + "-" + strings.Repeat("0", 16) + "-01",
		"00-" + strings.Repeat("A", 32) + "-" + strings.Repeat("b", 16) + "-01",
		"00-" + strings.Repeat("a", 31) + "-" + strings.Repeat("b", 16) + "-01",
	} {
		r := newReceiver(t, ingest.Options{}, routetest.GitHub("hook"))
		request := r.push("/ci/hook", "1", payload)
		request.Header.Set("Traceparent", value)
		r.do(t, request)
		if event := r.stored(t, "uid-hook").Event; event.TraceParent != "" || event.Header.Get("Traceparent") != "" {
			t.Errorf("%q travels on as %q", value, event.TraceParent)
		}
	}
}

func TestStripeAndCustomScheme(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, ingest.Options{}, routetest.GitHub("stripe", routetest.Provider("stripe")),
		routetest.GitHub("own", func(e *route.Endpoint) {
			e.Source = route.Source{Enforcement: route.EnforcementEnforce, Scheme: &route.Scheme{
				Algorithm: route.AlgorithmHMACSHA256,
				Signature: route.Signature{
					Headers: []string{"X-Hub-Signature-256"}, Prefix: "sha256=", Encoding: route.EncodingHex,
				},
				ID: route.Field{Header: "X-GitHub-Delivery"}, EventType: route.Field{JSON: "ref"},
			}}
		}))
	body := []byte(`{"id":"evt_1NG8Du2eZvKYlo2CUI79vXWy","type":"charge.refunded"}`)
	request := r.request("POST", "/ci/stripe", body)
	routetest.SignStripe(request.Header, routetest.Key, time.Now(), body)
	r.do(t, request)
	if event := r.stored(t, "uid-stripe").Event; event.DeliveryID != "evt_1NG8Du2eZvKYlo2CUI79vXWy" {
		t.Errorf("stripe: %+v", event)
	}
	r.do(t, r.push("/ci/own", "d-1", payload))
	if event := r.stored(t, "uid-own").Event; event.DeliveryID != "d-1" || event.Type != "refs/heads/main" || event.Source != "scheme" {
		t.Errorf("event %+v", event)
	}
}

func TestPanicOfAStageIsA500(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, ingest.Options{Store: bursting{}}, routetest.GitHub("hook"))
	for range 3 { // the process goes on
		got := r.do(t, r.push("/ci/hook", "1", payload))
		if got.status != 500 || got.content["error"] != "internal" || strings.Contains(got.body, "burst") {
			t.Errorf("answer %d %s", got.status, got.body)
		}
	}
}

// bursting is a store with a bug.
type bursting struct{ queue.Store }
