package ingest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/postern-dev/postern/receiver/ingest"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/route/routetest"
	"github.com/postern-dev/postern/receiver/table"
	"github.com/postern-dev/postern/test/wait"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// receiver is a handler behind a real listener, with a store in memory unless
// the test brings another.
type receiver struct {
	*httptest.Server
	store   queue.Store
	tables  table.Current
	log     *lockedBuffer
	results chan ingest.Result
	clock   atomic.Pointer[time.Time]
}

func newReceiver(t testing.TB, options ingest.Options, routes ...*route.Endpoint) *receiver {
	t.Helper()
	r := &receiver{log: &lockedBuffer{}, results: make(chan ingest.Result, 1024)}
	if options.Store == nil {
		r.store = queue.NewMemory(queue.MemoryOptions{})
		options.Store = r.store
	}
	if options.TrustedProxies == nil {
		options.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	}
	options.Tables = r.tables.Get
	options.Logger = slog.New(slog.NewJSONHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	options.Now = func() time.Time {
		if at := r.clock.Load(); at != nil {
			return *at
		}
		return time.Now()
	}
	options.Observe = func(result ingest.Result) {
		select {
		case r.results <- result:
		default: // nobody looks
		}
	}
	r.load(t, routes...)
	r.Server = httptest.NewUnstartedServer(ingest.New(options))
	r.Config.ReadHeaderTimeout = wait.Patience
	r.Start()
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) load(t testing.TB, routes ...*route.Endpoint) {
	t.Helper()
	next := table.Build(routes, r.tables.Get())
	for uid, err := range next.Problems() {
		t.Logf("route %s: %v", uid, err)
	}
	r.tables.Set(next)
}

// reply is an answer, read in full.
type reply struct {
	status  int
	header  http.Header
	body    string
	content map[string]string
}

func (r *receiver) do(t testing.TB, request *http.Request) reply {
	t.Helper()
	response, err := r.Client().Do(request)
	if err != nil {
		t.Fatalf("%s %s: %v", request.Method, request.URL, err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("reading the answer: %v", err)
	}
	got := reply{status: response.StatusCode, header: response.Header, body: string(body)}
	_ = json.Unmarshal(body, &got.content)
	return got
}

// request makes one that is not signed.
func (r *receiver) request(method, path string, body []byte) *http.Request {
	request, err := http.NewRequestWithContext(context.Background(), method, r.URL+path, bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	return request
}

// push makes a signed delivery of GitHub's.
func (r *receiver) push(path, id string, body []byte) *http.Request {
	request := r.request(http.MethodPost, path, body)
	routetest.SignGitHub(request.Header, routetest.Key, id, "push", body)
	return request
}

// stored returns the one event that the endpoint has.
func (r *receiver) stored(t testing.TB, uid string) *queue.Record {
	t.Helper()
	page := patient(t, func() (queue.Page, error) { return r.store.List(t.Context(), uid, queue.Filter{}) })
	if len(page.Events) != 1 {
		t.Fatalf("endpoint %s has %d events, want one", uid, len(page.Events))
	}
	return patient(t, func() (*queue.Record, error) { return r.store.Get(t.Context(), uid, page.Events[0].ID) })
}

// patient asks the store again while it is unavailable: every socket of the
// client finds out by itself that the server restarted.
func patient[T any](t testing.TB, ask func() (T, error)) T {
	t.Helper()
	got, err := ask()
	for errors.Is(err, queue.ErrUnavailable) && t.Context().Err() == nil {
		got, err = ask()
	}
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func (r *receiver) count(t testing.TB, uid string) int {
	t.Helper()
	page, err := r.store.List(t.Context(), uid, queue.Filter{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return len(page.Events)
}

type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(data []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(data)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

// payload is a body that re-serialising would break: an escape, odd spacing, a
// trailing newline.
var payload = []byte("{\"ref\":\"refs/heads/main\", \"name\":\"caf\\u00e9\",\"n\": 1.0}\n")
