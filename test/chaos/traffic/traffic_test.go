package traffic_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/verify"
	"github.com/postern-dev/postern/test/chaos/check"
	"github.com/postern-dev/postern/test/chaos/history"
	"github.com/postern-dev/postern/test/chaos/traffic"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var key = []byte("a key that only the sender and the receiver know")

func verifier(t *testing.T, provider string) verify.Verifier {
	t.Helper()
	v, err := verify.Compile(verify.Config{
		Source: route.Source{Provider: provider},
		Keys:   []route.Key{{Name: "secret", Value: traffic.SecretOf(provider, key)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// relay verifies, remembers and delivers like a receiver, only that it has no
// store: good enough for traffic, and a liar when a case wants one.
type relay struct {
	verifier verify.Verifier
	endpoint string
	target   *traffic.Target
	// refuse and drop tell by the number of a request that it is answered 503,
	// or acknowledged and forgotten.
	refuse, drop func(n int64) bool

	requests atomic.Int64
	mu       sync.Mutex
	seen     map[string]bool
}

func (r *relay) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	n := r.requests.Add(1)
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return
	}
	verdict, err := r.verifier.Verify(request.Context(), &verify.Request{
		Method: request.Method, Header: request.Header, Body: body, Now: time.Now(),
	})
	switch {
	case err != nil:
		answer(w, http.StatusUnauthorized, "", err.Error())
	case r.refuse != nil && r.refuse(n):
		answer(w, http.StatusServiceUnavailable, "", "store_unavailable")
	case !r.first(verdict.DeliveryID):
		answer(w, http.StatusOK, "duplicate", "")
	case r.drop != nil && r.drop(n):
		answer(w, http.StatusOK, "accepted", "")
	default:
		r.deliver(request, verdict, body)
		answer(w, http.StatusOK, "accepted", "")
	}
}

func (r *relay) first(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen == nil {
		r.seen = map[string]bool{}
	}
	again := r.seen[id]
	r.seen[id] = true
	return !again
}

// deliver tries until the target has it, which is not what a receiver does.
func (r *relay) deliver(original *http.Request, verdict verify.Verdict, body []byte) {
	for attempt := 1; ; attempt++ {
		request, err := http.NewRequestWithContext(original.Context(), http.MethodPost, r.target.URL(), bytes.NewReader(body))
		if err != nil {
			return
		}
		request.Header = http.Header{
			"Postern-Endpoint": {r.endpoint}, "Postern-Event-Id": {"ev-" + verdict.DeliveryID},
			"Postern-Event-Type": {verdict.EventType}, "Postern-Verified": {"true"},
			"Postern-Attempt": {fmt.Sprint(attempt)},
		}
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		response, err := client.Do(request)
		if err != nil {
			continue
		}
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if response.StatusCode == http.StatusOK {
			return
		}
	}
}

func answer(w http.ResponseWriter, code int, status, reason string) {
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]string{"status": status, "error": reason, "id": "ev"})
}

// run lets senders of a provider send to a relay and judges what happened.
func run(t *testing.T, provider string, r *relay, shares ...traffic.Share) (*check.Result, traffic.Totals) {
	t.Helper()
	folder := t.TempDir()
	about, err := history.Create(folder, "run")
	if err != nil {
		t.Fatal(err)
	}
	r.endpoint, r.verifier = "team/"+provider, verifier(t, provider)
	about.Write(history.Record{Run: &history.Run{
		Scenario: "traffic", Seed: 7, Unjudged: []string{"I6", "I7", "I9"}, // nobody watches the relay
	}})
	about.Write(history.Record{Endpoint: &history.Endpoint{
		Name: r.endpoint, DedupSeconds: 3600, Targets: []history.Target{{Name: "target"}},
		Retry: history.Retry{InitialBackoffSeconds: 1, MaxBackoffSeconds: 1},
	}})
	r.target = newTarget(t, about, r.endpoint+"/target")
	if len(shares) > 0 {
		r.target.Behave(shares...)
	}
	server := httptest.NewServer(r)
	defer server.Close()
	senders, err := traffic.NewSenders(traffic.Options{
		Endpoints: []traffic.Endpoint{{
			Name: r.endpoint, URLs: []string{server.URL}, Provider: provider, Key: key,
			Types: []string{"push", "star"}, Weight: 1,
		}},
		Folder: folder, Seed: 7, Events: 400, Workers: 8, UnderWay: 64,
		Forged: 0.2, Copied: 0.1, Repeated: 0.1, Copies: 5, MaxWait: 10 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := senders.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.target.Stop()
	if err := about.Close(); err != nil {
		t.Fatal(err)
	}
	result, err := check.Check(history.Read(folder))
	if err != nil {
		t.Fatal(err)
	}
	return result, senders.Totals()
}

func newTarget(t *testing.T, w *history.Writer, name string) *traffic.Target {
	t.Helper()
	target, err := traffic.NewTarget(traffic.TargetOptions{Name: name, Address: "127.0.0.1:0", History: w, Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(target.Stop)
	return target
}

func TestAnHonestRelayPasses(t *testing.T) {
	t.Parallel()
	for _, provider := range []string{traffic.GitHub, traffic.Stripe, traffic.StandardWebhooks} {
		t.Run(provider, func(t *testing.T) {
			t.Parallel()
			result, totals := run(t, provider, &relay{})
			expectOK(t, result)
			figures := result.Figures
			if totals.Events != 400 || totals.Acked+totals.Forged != totals.Events || totals.GivenUp != 0 {
				t.Errorf("totals are %+v", totals)
			}
			if totals.Forged == 0 || figures.Answers["duplicate"] == 0 || figures.Forged != int(totals.Forged) {
				t.Errorf("nothing was forged or sent twice: %+v", figures)
			}
			if figures.Acknowledged != int(totals.Acked) || figures.Delivered != figures.Acknowledged {
				t.Errorf("%d acknowledged, %d delivered, want %d", figures.Acknowledged, figures.Delivered, totals.Acked)
			}
		})
	}
}

func expectOK(t *testing.T, result *check.Result) {
	t.Helper()
	for _, verdict := range result.Verdicts {
		for _, violation := range verdict.Violations {
			t.Errorf("%s: %+v", verdict.Invariant, violation)
		}
	}
}

func TestRefusalsAreTriedAgain(t *testing.T) {
	t.Parallel()
	result, totals := run(t, traffic.GitHub, &relay{refuse: func(n int64) bool { return n%3 == 0 }})
	expectOK(t, result)
	if totals.Acked+totals.Forged != totals.Events || result.Figures.Answers["store_unavailable"] == 0 {
		t.Errorf("totals are %+v, answers %v", totals, result.Figures.Answers)
	}
}

func TestFailuresOfTargetsAreWrittenDown(t *testing.T) {
	t.Parallel()
	result, _ := run(t, traffic.Stripe, &relay{},
		traffic.Share{Behaviour: traffic.Behaviour{Kind: traffic.OK}, Weight: 1},
		traffic.Share{Behaviour: traffic.Behaviour{Kind: traffic.Fail, Status: 502}, Weight: 1})
	for _, verdict := range result.Verdicts {
		if wrong := verdict.Invariant == check.Schedule; verdict.OK() == wrong {
			t.Errorf("%s: %+v; only the schedule is wrong, for the relay has none", verdict.Invariant, verdict.Violations)
		}
	}
	if figures := result.Figures; figures.Failed < 50 || figures.Delivered != figures.Acknowledged {
		t.Errorf("figures are %+v", figures)
	}
}

func TestALiarIsCaught(t *testing.T) {
	t.Parallel()
	result, _ := run(t, traffic.GitHub, &relay{drop: func(n int64) bool { return n%50 == 0 }})
	if verdict := result.Verdict(check.Durability); verdict.OK() || verdict.Count > 20 {
		t.Errorf("%d events are missing, want some", verdict.Count)
	}
}

func TestAStormIsOneEvent(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	about, err := history.Create(folder, "run")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{endpoint: "a/b", verifier: verifier(t, traffic.GitHub), target: newTarget(t, about, "a/b/c")}
	server := httptest.NewServer(r)
	defer server.Close()
	senders, err := traffic.NewSenders(traffic.Options{
		Endpoints: []traffic.Endpoint{{
			Name: "a/b", URLs: []string{server.URL}, Provider: traffic.GitHub, Key: key, Types: []string{"push"}, Weight: 1,
		}},
		Folder: folder, Events: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := senders.Storm(t.Context(), 1, "a/b", 100); err != nil {
		t.Fatal(err)
	}
	if err := senders.Storm(t.Context(), 2, "a/unknown", 1); err == nil {
		t.Error("a storm at an endpoint that does not exist has no error")
	}
	if err := senders.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := r.target.Received(); got != 2 || senders.Totals().Requests != 101 {
		t.Errorf("%d deliveries of %d requests, want 2 of 101", got, senders.Totals().Requests)
	}
	r.target.Stop()
	if err := about.Close(); err != nil {
		t.Fatal(err)
	}
}
