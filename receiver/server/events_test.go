package server_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/queue/redistest"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/route/routetest"
	"github.com/postern-dev/postern/test/wait"
)

// newDead is a receiver with one event that its target called gone.
func newDead(t *testing.T) (w *world, builder *target, mended *atomic.Bool) {
	t.Helper()
	mended = &atomic.Bool{}
	builder = newTarget(t, func(rw http.ResponseWriter, _ *http.Request) {
		if !mended.Load() {
			rw.WriteHeader(http.StatusGone)
		}
	})
	w = start(t, builder.URL)
	w.load(t, routetest.GitHub("hook"))
	if got := w.push(t, "d-1"); got.status != 200 {
		t.Fatalf("answer %d %s", got.status, got.body)
	}
	builder.next(t)
	wait.Until(t, "the event is dead", func() bool { return len(w.list(t, "&status=dead").Events) == 1 })
	return w, builder, mended
}

func (w *world) list(t *testing.T, query string) queue.Page {
	t.Helper()
	got := w.ask(t, "GET", "/events?endpoint=ci/hook"+query, "")
	if got.status != 200 {
		t.Fatalf("events: %d %s", got.status, got.body)
	}
	return decode[queue.Page](t, got)
}

func TestEventsAreListed(t *testing.T) {
	t.Parallel()
	w, _, _ := newDead(t)
	now := url.QueryEscape(time.Now().Add(time.Hour).Format(time.RFC3339))
	for query, want := range map[string]int{
		"": 1, "&status=dead": 1, "&status=pending": 0, "&status=delivered": 0, "&type=push": 1, "&type=pull": 0,
		"&target=builder": 1, "&target=other": 0, "&since=1h": 1, "&since=" + now: 0, "&limit=1": 1,
	} {
		if page := w.list(t, query); len(page.Events) != want {
			t.Errorf("%q: %d events, want %d", query, len(page.Events), want)
		}
	}
	event := w.list(t, "").Events[0]
	if event.DeliveryID != "d-1" || event.Type != "push" || len(event.Targets) != 1 || event.Targets[0].Attempts != 1 {
		t.Errorf("event is %+v", event)
	}
	if byUID := w.ask(t, "GET", "/events?uid=uid-hook", ""); !strings.Contains(byUID.body, event.ID) {
		t.Errorf("by uid: %d %s", byUID.status, byUID.body)
	}
}

func TestEventIsShownWithItsBody(t *testing.T) {
	t.Parallel()
	w, _, _ := newDead(t)
	id := w.list(t, "").Events[0].ID
	got := w.ask(t, "GET", "/events/"+id+"?endpoint=ci/hook", "")
	record := decode[queue.Record](t, got)
	if got.status != 200 || string(record.Event.Body) != string(payload) || record.ID != id {
		t.Errorf("event is %d %s", got.status, got.body)
	}
	if !strings.Contains(got.body, base64.StdEncoding.EncodeToString(payload)) {
		t.Errorf("the body is not kept as bytes: %s", got.body)
	}
}

func TestReplay(t *testing.T) {
	t.Parallel()
	w, builder, mended := newDead(t)
	mended.Store(true)
	id := w.list(t, "").Events[0].ID
	got := w.ask(t, "POST", "/events/"+id+"/replay?endpoint=ci/hook", `{"targets":["builder"]}`)
	if got.status != 200 || got.body != `{"replayed":1}`+"\n" {
		t.Fatalf("answer %d %s", got.status, got.body)
	}
	if again := builder.next(t); again.header.Get("Postern-Event-Id") != id {
		t.Errorf("the target got %v", again.header)
	}
	wait.Until(t, "the event is delivered", func() bool { return len(w.list(t, "&status=delivered").Events) == 1 })
}

func TestReplayDead(t *testing.T) {
	t.Parallel()
	w, builder, mended := newDead(t)
	mended.Store(true)
	if got := w.ask(t, "POST", "/replay-dead?endpoint=ci/hook&type=pull", ""); got.body != `{"replayed":0}`+"\n" {
		t.Errorf("of another type: %d %s", got.status, got.body)
	}
	if got := w.ask(t, "POST", "/replay-dead?endpoint=ci/hook", ""); got.body != `{"replayed":1}`+"\n" {
		t.Fatalf("answer %d %s", got.status, got.body)
	}
	builder.next(t)
	wait.Until(t, "no event is dead", func() bool { return len(w.list(t, "&status=dead").Events) == 0 })
}

// TestReplayToARemovedTarget: what is due where no route leads is delivered to
// nobody, and so refused.
func TestReplayToARemovedTarget(t *testing.T) {
	t.Parallel()
	w, _, _ := newDead(t)
	id := w.list(t, "&status=dead").Events[0].ID
	w.load(t, routetest.GitHub("hook", func(e *route.Endpoint) { e.Targets[0].Name = "other" }))
	for path, body := range map[string]string{
		"/events/" + id + "/replay": "", "/events/" + id + "/replay?": `{"targets":["builder"]}`,
		"/replay-dead?target=builder&": "",
	} {
		path, query, _ := strings.Cut(path, "?")
		got := w.ask(t, "POST", path+"?"+query+"endpoint=ci/hook", body)
		if got.status != http.StatusConflict || !strings.Contains(got.body, "builder") {
			t.Errorf("%s with %q was answered %d %s", path, body, got.status, got.body)
		}
	}
	if got := w.ask(t, "POST", "/replay-dead?endpoint=ci/hook", ""); got.body != `{"replayed":0}`+"\n" {
		t.Errorf("replay-dead was answered %d %s", got.status, got.body)
	}
	if n := len(w.list(t, "&status=dead").Events); n != 1 {
		t.Errorf("%d dead letters are left, want the one", n)
	}
}

func TestDiscard(t *testing.T) {
	t.Parallel()
	w, _, _ := newDead(t)
	id := w.list(t, "&status=dead").Events[0].ID
	for _, step := range []struct {
		path, body string
		status     int
		want       string
	}{
		{"/events/" + id + "/discard?endpoint=ci/hook", `{"targets":["other"]}`, 404, "no such event"},
		{"/discard-dead?endpoint=ci/hook&type=none", "", 200, `{"discarded":0}`},
		{"/events/" + id + "/discard?endpoint=ci/hook", "", 200, `{"discarded":1}`},
		{"/events/" + id + "/discard?endpoint=ci/hook", "", 404, "no such event"},
		{"/discard-dead?endpoint=ci/hook", "", 200, `{"discarded":0}`},
	} {
		if got := w.ask(t, "POST", step.path, step.body); got.status != step.status || !strings.Contains(got.body, step.want) {
			t.Errorf("%s was answered %d %s, want %d %s", step.path, got.status, got.body, step.status, step.want)
		}
	}
	if n := len(w.list(t, "&status=dead").Events); n != 0 {
		t.Errorf("%d dead letters are left", n)
	}
}

func TestEventRequestsAreChecked(t *testing.T) {
	t.Parallel()
	w, _, _ := newDead(t)
	for _, test := range []struct {
		method, path, body string
		status             int
		message            string
	}{
		{"GET", "/events", "", 400, "endpoint: must be namespace/name"},
		{"GET", "/events?endpoint=ci/none", "", 400, "is not loaded"},
		{"GET", "/events?endpoint=ci/hook&status=lost", "", 400, "status: "},
		{"GET", "/events?endpoint=ci/hook&since=yesterday", "", 400, "since: "},
		{"GET", "/events?endpoint=ci/hook&since=-1h", "", 400, "since: "},
		{"GET", "/events?endpoint=ci/hook&limit=0", "", 400, "limit: "},
		{"GET", "/events?endpoint=ci/hook&limit=1001", "", 400, "limit: "},
		{"GET", "/events?endpoint=ci/hook&limit=ten", "", 400, "limit: "},
		{"GET", "/events/none?endpoint=ci/hook", "", 404, "no such event"},
		{"POST", "/events/none/replay?endpoint=ci/hook", "", 404, "no such event"},
		{"POST", "/events/none/replay?endpoint=ci/hook", "{", 400, "unexpected"},
		{"POST", "/replay-dead", "", 400, "endpoint: "},
		{"GET", "/replay-dead?endpoint=ci/hook", "", 405, ""},
		{"POST", "/events?endpoint=ci/hook", "", 405, ""},
		{"GET", "/", "", 404, ""},
		{"GET", "/debug/pprof/", "", 404, ""},
	} {
		got := w.ask(t, test.method, test.path, test.body)
		if got.status != test.status || !strings.Contains(got.body, test.message) {
			t.Errorf("%s %s: %d %s, want %d %s", test.method, test.path, got.status, got.body, test.status, test.message)
		}
	}
}

func TestDirectDelivery(t *testing.T) {
	t.Parallel()
	direct := func(e *route.Endpoint) { e.Delivery = route.DeliveryDirect }
	for name, test := range map[string]struct {
		respond http.HandlerFunc
		edit    func(*route.Endpoint)
		status  int
		body    string
	}{
		"answer": {status: 201, body: "done", respond: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/x-answer")
			w.Header().Set("Set-Cookie", "session=secret")
			w.Header().Set("Server", "inner")
			w.WriteHeader(http.StatusCreated)
			_, _ = w.Write([]byte("done"))
		}},
		"no content": {
			status:  204,
			respond: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		},
		"refusal": {status: 422, body: "no", respond: func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusUnprocessableEntity)
			_, _ = w.Write([]byte("no"))
		}},
		"cut short": {
			status: 502, body: "{\"error\":\"target_failed\"}\n",
			respond: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		},
		"silent": {
			status: 504, body: "{\"error\":\"target_timeout\"}\n",
			edit:    func(e *route.Endpoint) { e.Targets[0].TimeoutSeconds = 1 },
			respond: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		},
		"suspended": {
			status: 503, body: "{\"error\":\"suspended\"}\n",
			edit: func(e *route.Endpoint) { e.Suspend = true },
		},
		"no service": {
			status: 503, body: "{\"error\":\"no_target\"}\n",
			edit: func(e *route.Endpoint) { e.Targets[0].Unavailable = &route.Unavailable{Reason: "x"} },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t, newTarget(t, test.respond).URL)
			edits := []func(*route.Endpoint){direct}
			if test.edit != nil {
				edits = append(edits, test.edit)
			}
			w.load(t, routetest.GitHub("hook", edits...))
			got := w.push(t, "1")
			if got.status != test.status || got.body != test.body {
				t.Errorf("answer %d %q, want %d %q", got.status, got.body, test.status, test.body)
			}
			if got.header.Get("Set-Cookie") != "" || got.header.Get("Server") != "" {
				t.Errorf("headers are %v", got.header)
			}
			if name == "answer" && got.header.Get("Content-Type") != "text/x-answer" {
				t.Errorf("headers are %v", got.header)
			}
			if page := w.list(t, ""); len(page.Events) != 0 {
				t.Errorf("%d events in the store", len(page.Events))
			}
		})
	}
}

// TestFailedExpressionIsReplayable: an event on which `when` fails is kept for
// the target, and a replay brings it there once the endpoint is mended, although
// the new expression would not select it.
func TestFailedExpressionIsReplayable(t *testing.T) {
	t.Parallel()
	builder := newTarget(t, nil)
	w := start(t, builder.URL, on(connect(t, redistest.Start(t))))
	when := func(expression string) *route.Endpoint {
		return routetest.GitHub("hook", func(e *route.Endpoint) { e.Targets[0].WhenExpression = expression })
	}
	w.load(t, when("body.repo.name == 'a'"))
	got := w.push(t, "1")
	if got.status != 200 || decode[map[string]string](t, got)["status"] != "accepted" {
		t.Fatalf("answer %d %q, want accepted", got.status, got.body)
	}
	page := w.list(t, "&status=dead")
	if len(page.Events) != 1 || page.Events[0].Targets[0].Reason != "expression_failed" {
		t.Fatalf("dead letters are %+v, want one with reason expression_failed", page.Events)
	}
	for _, series := range []string{
		`postern_expression_failures_total{endpoint="hook",field="when",namespace="ci",source="github"} 1`,
		`postern_deliveries_total{endpoint="hook",namespace="ci",outcome="dead",target="builder"} 1`,
	} {
		if shown := w.ask(t, "GET", "/metrics", ""); !strings.Contains(shown.body, series) {
			t.Errorf("the metrics have no %s", series)
		}
	}
	if got := w.push(t, "1"); !strings.Contains(got.body, "duplicate") {
		t.Errorf("the sender's retry is answered %d %q", got.status, got.body)
	}
	w.load(t, when("body.ref == 'refs/heads/other'"))
	if got := w.ask(t, "POST", "/replay-dead?endpoint=ci/hook", ""); got.body != `{"replayed":1}`+"\n" {
		t.Fatalf("replay: %d %s", got.status, got.body)
	}
	if got := builder.next(t); string(got.body) != string(payload) {
		t.Errorf("the target got %q", got.body)
	}
	wait.Until(t, "no event is dead", func() bool { return len(w.list(t, "&status=dead").Events) == 0 })
}
