package server_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/queue/redistest"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/route/routetest"
	"github.com/postern-dev/postern/receiver/server"
	"github.com/postern-dev/postern/test/wait"
)

// tenants are two endpoints of the noisy namespace and one of the quiet one.
func tenants(edits ...func(*route.Endpoint)) []*route.Endpoint {
	in := func(namespace string) func(*route.Endpoint) {
		return func(e *route.Endpoint) { e.Namespace, e.Path = namespace, "/"+namespace+"/"+e.Name }
	}
	return []*route.Endpoint{
		routetest.GitHub("one", append(edits, in("noisy"))...),
		routetest.GitHub("two", append(edits, in("noisy"))...),
		routetest.GitHub("three", append(edits, in("quiet"))...),
	}
}

// send posts a signed event and returns status and reason.
func (w *world) send(t *testing.T, path, id string, body []byte) string {
	t.Helper()
	address := "http://" + w.Addr().String() + path
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	routetest.SignGitHub(request.Header, routetest.Key, id, "push", body)
	got := w.do(t, request)
	return fmt.Sprint(got.status, " ", strings.TrimSpace(got.body))
}

// TestNamespaceRateLimit: what one namespace sends too much is refused, whichever
// endpoint it goes to, and another namespace does not notice.
func TestNamespaceRateLimit(t *testing.T) {
	t.Parallel()
	now := time.Now() // it stands still, and no bucket fills
	w := start(t, newTarget(t, nil).URL, func(o *server.Options) {
		o.NamespaceRate = &route.RateLimit{RequestsPerSecond: 1, Burst: 3}
		o.Now = func() time.Time { return now }
	})
	w.load(t, tenants()...)
	for i := range 10 {
		path := []string{"/noisy/one", "/noisy/two"}[i%2]
		got := w.send(t, path, fmt.Sprint(i), payload)
		if limited := got == `429 {"error":"rate_limited"}`; limited != (i >= 3) {
			t.Errorf("request %d of the noisy namespace was answered %s", i, got)
		}
	}
	for i := range 3 {
		if got := w.send(t, "/quiet/three", fmt.Sprint(i), payload); !strings.HasPrefix(got, "200") {
			t.Errorf("request %d of the quiet namespace was answered %s", i, got)
		}
	}
}

const namespaceBytes = 1 << 20

// TestNamespaceQuota fills a namespace's share of a real store, which stops it
// alone, and empties it again.
func TestNamespaceQuota(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	suspended := func(e *route.Endpoint) { e.Suspend, e.HistoryLimit = true, 0 }
	body := bytes.Repeat([]byte("x"), 64<<10)
	w := startWithQuota(t, redis)
	w.load(t, tenants(suspended)...)
	accepted := 0
	for got := ""; got != `503 {"error":"namespace_full"}`; accepted++ {
		if accepted > 2*namespaceBytes/len(body) {
			t.Fatalf("after %d events the namespace is not full: %s", accepted, got)
		}
		got = w.send(t, []string{"/noisy/one", "/noisy/two"}[accepted%2], fmt.Sprint(accepted), body)
	}
	if least := namespaceBytes / len(body) / 2; accepted < least {
		t.Errorf("the namespace is full after %d events, want at least %d", accepted, least)
	}
	if got := w.send(t, "/quiet/three", "1", body); !strings.HasPrefix(got, "200") {
		t.Errorf("the quiet namespace was answered %s", got)
	}

	// Another process finds out by itself.
	second := startWithQuota(t, redis)
	second.load(t, tenants(suspended)...)
	wait.Until(t, "a new process knows that the namespace is full", func() bool {
		return second.send(t, "/noisy/one", fmt.Sprint("again ", time.Now().UnixNano()), body) ==
			`503 {"error":"namespace_full"}`
	})
	if page, err := w.store.List(t.Context(), "uid-three", queue.Filter{}); err != nil || len(page.Events) != 1 {
		t.Errorf("the quiet namespace has %d events: %v", len(page.Events), err)
	}

	// Once its events are delivered the namespace may send again.
	w.load(t, tenants(func(e *route.Endpoint) { e.HistoryLimit = 0 })...)
	wait.Until(t, "the namespace may send again", func() bool {
		return strings.HasPrefix(w.send(t, "/noisy/one", fmt.Sprint("more ", time.Now().UnixNano()), payload), "200")
	})
}

func startWithQuota(t *testing.T, redis *redistest.Server) *world {
	t.Helper()
	store := connect(t, redis)
	wait.Until(t, "the store can be used", func() bool { return store.Check(t.Context()) == nil })
	return start(t, newTarget(t, nil).URL, func(o *server.Options) {
		o.Store, o.NamespaceBytes = store, namespaceBytes
	})
}
