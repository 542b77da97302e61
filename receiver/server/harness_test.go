package server_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/postern-dev/postern/receiver/deliver"
	"github.com/postern-dev/postern/receiver/deliver/outbound"
	"github.com/postern-dev/postern/receiver/metrics"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/route/routetest"
	"github.com/postern-dev/postern/receiver/server"
	"github.com/postern-dev/postern/receiver/table"
	"github.com/postern-dev/postern/test/wait"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var payload = []byte("{\"ref\":\"refs/heads/main\", \"name\":\"caf\\u00e9\"}\n")

// target is a Service that keeps what it gets.
type target struct {
	*httptest.Server
	got chan *received
}

type received struct {
	header http.Header
	body   []byte
}

// newTarget answers every request with respond; nil means 200.
func newTarget(t testing.TB, respond http.HandlerFunc) *target {
	t.Helper()
	g := &target{got: make(chan *received, 4096)}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		select {
		case g.got <- &received{header: r.Header, body: body}:
		default: // nobody looks at so many
		}
		if respond != nil {
			respond(w, r)
		}
	}))
	t.Cleanup(g.Close)
	return g
}

// newGate is a target that answers with the status once it is opened, at the
// latest at the end of the test: a server waits for its requests before it closes.
func newGate(t testing.TB, status int) (g *target, open func()) {
	t.Helper()
	opened := make(chan struct{})
	open = sync.OnceFunc(func() { close(opened) })
	g = newTarget(t, func(w http.ResponseWriter, _ *http.Request) {
		<-opened
		w.WriteHeader(status)
	})
	t.Cleanup(open)
	return g, open
}

func (g *target) next(t testing.TB) *received {
	t.Helper()
	return wait.Next(t, "a request to the target", g.got)
}

// world is a running receiver.
type world struct {
	*server.Server
	store  queue.Store
	log    *lockedBuffer
	routes chan route.Set
	loaded chan *table.Table
	// stop is the signal; ended has the result of Run.
	stop  context.CancelFunc
	ended chan error
	// client has connections of its own.
	client *http.Client
}

// start runs a receiver whose target builder is at the given URL.
func start(t testing.TB, targetURL string, edits ...func(*server.Options)) *world {
	t.Helper()
	w := &world{
		log: &lockedBuffer{}, routes: make(chan route.Set), loaded: make(chan *table.Table, 4096), ended: make(chan error, 1),
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: 2 * wait.Patience},
	}
	registry := prometheus.NewRegistry()
	options := server.Options{
		Listen: "127.0.0.1:0", Internal: "127.0.0.1:0",
		Store:    queue.NewMemory(queue.MemoryOptions{}),
		Source:   w.source,
		Metrics:  metrics.New(registry),
		Gatherer: registry,
		Loaded:   func(next *table.Table) { w.loaded <- next },
		// A busy machine refuses nothing for being slow.
		StoreTimeout: wait.Patience, CopyTimeout: wait.Patience, GracePeriod: wait.Patience,
		Logger: slog.New(slog.NewJSONHandler(w.log, nil)),
	}
	for _, edit := range edits {
		edit(&options)
	}
	if options.Engine == nil {
		options.Engine = newEngine(t, options.Store, options.Metrics, targetURL)
	}
	w.store = options.Store
	var err error
	if w.Server, err = server.New(options); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.stop = cancel
	go func() { w.ended <- w.Run(ctx) }()
	t.Cleanup(func() {
		w.client.CloseIdleConnections()
		cancel()
		wait.Next(t, "the end of Run", w.ended)
	})
	return w
}

func newEngine(t testing.TB, store queue.Store, m *metrics.Metrics, targetURL string) *deliver.Engine {
	t.Helper()
	parsed, err := url.Parse(targetURL)
	if err != nil {
		t.Fatal(err)
	}
	_, own := store.(*queue.Memory)
	return deliver.New(deliver.Options{
		Worker: store, Observer: m, DrainStore: own, // one that others use too is never empty
		Network: outbound.Network{Forward: map[string]*url.URL{"ci/builder": parsed}},
	})
}

// source hands on what load puts in.
func (w *world) source(ctx context.Context, emit func(route.Set)) error {
	for {
		select {
		case next := <-w.routes:
			emit(next)
		case <-ctx.Done():
			return nil
		}
	}
}

// load puts routes in force and returns when they are.
func (w *world) load(t testing.TB, routes ...*route.Endpoint) *table.Table {
	t.Helper()
	return w.loadWith(t, nil, routes...)
}

func (w *world) loadWith(t testing.TB, problems map[string]error, routes ...*route.Endpoint) *table.Table {
	t.Helper()
	select {
	case w.routes <- route.Set{Routes: routes, Problems: problems}:
	case <-time.After(wait.Patience):
		t.Fatal("the receiver takes no routes")
	}
	return wait.Next(t, "the table with the routes", w.loaded)
}

// reply is an answer, read in full.
type reply struct {
	status int
	header http.Header
	body   string
}

func (w *world) do(t testing.TB, request *http.Request) reply {
	t.Helper()
	response, err := w.client.Do(request)
	if err != nil {
		t.Fatalf("%s %s: %v", request.Method, request.URL, err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("reading the answer: %v", err)
	}
	return reply{status: response.StatusCode, header: response.Header, body: string(body)}
}

// push sends a signed delivery of GitHub's to ci/hook.
func (w *world) push(t testing.TB, id string) reply {
	t.Helper()
	return w.do(t, w.pushRequest(t, id))
}

func (w *world) pushRequest(t testing.TB, id string) *http.Request {
	t.Helper()
	address := "http://" + w.Addr().String() + "/ci/hook?q=1"
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, address, bytes.NewReader(payload))
	if err != nil {
		t.Fatal(err)
	}
	routetest.SignGitHub(request.Header, routetest.Key, id, "push", payload)
	return request
}

// ask sends a request to the internal server.
func (w *world) ask(t testing.TB, method, path, body string) reply {
	t.Helper()
	address := "http://" + w.InternalAddr().String() + path
	request, err := http.NewRequestWithContext(context.Background(), method, address, bytes.NewBufferString(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	return w.do(t, request)
}

// decode reads an answer of the internal server.
func decode[T any](t testing.TB, got reply) T {
	t.Helper()
	var content T
	if err := json.Unmarshal([]byte(got.body), &content); err != nil {
		t.Fatalf("answer %d %q: %v", got.status, got.body, err)
	}
	return content
}

// connection is a socket on which a test writes what no client would.
type connection struct {
	net.Conn
	reader *bufio.Reader
}

func dial(t testing.TB, w *world) *connection {
	t.Helper()
	conn, err := net.Dial("tcp", w.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(wait.Patience)); err != nil {
		t.Fatal(err)
	}
	return &connection{Conn: conn, reader: bufio.NewReader(conn)}
}

func (c *connection) write(t testing.TB, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatalf("writing: %v", err)
	}
}

func (c *connection) expect(t testing.TB, status int) {
	t.Helper()
	response, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	_ = response.Body.Close()
	if response.StatusCode != status {
		t.Fatalf("answer %d, want %d", response.StatusCode, status)
	}
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
