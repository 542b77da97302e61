package deliver_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postern-dev/postern/receiver/deliver"
	"github.com/postern-dev/postern/receiver/event"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/route"
)

// world is an engine on the in-memory store with targets that a test scripts.
// It is made for synctest: all waiting is virtual.
type world struct {
	t       *testing.T
	store   *queue.Memory
	worker  *flaky
	targets *targets
	seen    *observer
	engine  *deliver.Engine
	api     *authority
	stop    context.CancelFunc
	count   int
}

// newWorld starts an engine for the endpoints; chance is always one half.
func newWorld(t *testing.T, change func(*deliver.Options), endpoints ...*route.Endpoint) *world {
	t.Helper()
	w := &world{t: t, store: queue.NewMemory(queue.MemoryOptions{}), targets: &targets{}, seen: &observer{}, api: &authority{}}
	w.worker = &flaky{Worker: w.store}
	w.start(change, endpoints...)
	return w
}

// start runs a new engine on the world's store.
func (w *world) start(change func(*deliver.Options), endpoints ...*route.Endpoint) {
	options := deliver.Options{
		Worker: w.worker, Keeper: w.store, Current: w.api.current, Transport: w.targets, Observer: w.seen,
		Rand: func() float64 { return 0.5 },
	}
	if change != nil {
		change(&options)
	}
	w.engine = deliver.New(options)
	w.put(endpoints...)
	ctx, cancel := context.WithCancel(w.t.Context())
	w.stop = cancel
	engine := w.engine
	engine.Start(ctx)
	w.t.Cleanup(func() {
		cancel()
		engine.Wait()
	})
}

// put makes these the routes of the API server and of the engine.
func (w *world) put(endpoints ...*route.Endpoint) {
	w.api.has(endpoints...)
	w.engine.SetRoutes(endpoints)
}

// endpoint makes a route with one target a name; the target is a Service of that name.
func endpoint(namespace string, names ...string) *route.Endpoint {
	e := &route.Endpoint{
		SchemaVersion: route.SchemaVersion, UID: "uid-" + namespace, Namespace: namespace, Name: "in",
		Path: "/" + namespace + "/in", Source: route.Source{Provider: "github"}, MaxBodyBytes: 1 << 20,
		Delivery: route.DeliveryQueued, HistoryLimit: 1000,
		Retry: route.Retry{InitialBackoffSeconds: 1, MaxBackoffSeconds: 600, MaxAgeSeconds: 259200},
	}
	for _, name := range names {
		e.Targets = append(e.Targets, route.Target{
			Name: name, Namespace: namespace, Service: name, Port: 80, Path: "/", Format: route.FormatOriginal,
			TimeoutSeconds: 15, MaxInFlight: 4,
		})
	}
	return e
}

// changed is a copy of a route with another spec.
func changed(e *route.Endpoint, change func(*route.Endpoint)) *route.Endpoint {
	edited := *e
	edited.Targets = slices.Clone(e.Targets)
	change(&edited)
	return &edited
}

func queues(e *route.Endpoint) []queue.ID {
	var ids []queue.ID
	for _, target := range e.Targets {
		ids = append(ids, queue.ID{EndpointUID: e.UID, Target: target.Name})
	}
	return ids
}

func names(e *route.Endpoint) []string {
	var all []string
	for _, id := range queues(e) {
		all = append(all, id.Target)
	}
	return all
}

func (w *world) event(e *route.Endpoint) *event.Event {
	w.count++
	return &event.Event{
		ID: fmt.Sprintf("%032x", w.count), EndpointUID: e.UID, Namespace: e.Namespace, Endpoint: e.Name, Source: "github",
		Type: "push", ReceivedAt: time.Now(), Verified: true, Method: http.MethodPost,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte("{}\n"),
	}
}

// admit does what ingest does, and tells whether the event was handed over.
func (w *world) admit(e *route.Endpoint) (*event.Event, bool) {
	w.t.Helper()
	ev := w.event(e)
	reservation, reserved := w.engine.Reserve(queues(e), ev.Size())
	admission := &queue.Admission{Event: ev, Targets: names(e), HistoryLimit: e.HistoryLimit}
	if reserved {
		admission.LeaseFor = reservation.LeaseFor
	}
	receipt, err := w.store.Admit(w.t.Context(), admission)
	if err != nil {
		w.t.Fatalf("admitting an event: %v", err)
	}
	if reserved {
		reservation.HandOver(ev, receipt.Leases)
	} else {
		w.engine.Wake(queues(e)...)
	}
	return ev, reserved
}

// admitUnleased stores an event that the engine is told about, nothing more.
func (w *world) admitUnleased(e *route.Endpoint) *event.Event {
	w.t.Helper()
	ev := w.event(e)
	admission := &queue.Admission{Event: ev, Targets: names(e), HistoryLimit: e.HistoryLimit}
	if _, err := w.store.Admit(w.t.Context(), admission); err != nil {
		w.t.Fatalf("admitting an event: %v", err)
	}
	w.engine.Wake(queues(e)...)
	return ev
}

// state returns where an event stands at the first of its targets, or at the named one.
func (w *world) state(ev *event.Event, target ...string) queue.TargetState {
	w.t.Helper()
	record, err := w.store.Get(w.t.Context(), ev.EndpointUID, ev.ID)
	if err != nil {
		w.t.Fatalf("getting event %s: %v", ev.ID, err)
	}
	for _, state := range record.Targets {
		if len(target) == 0 || state.Target == target[0] {
			return state
		}
	}
	w.t.Fatalf("event %s has no target %v", ev.ID, target)
	return queue.TargetState{}
}

func (w *world) expectStatus(want queue.Status, events ...*event.Event) {
	w.t.Helper()
	for _, ev := range events {
		if got := w.state(ev).Status; got != want {
			w.t.Errorf("event %s is %s, want %s", ev.ID, got, want)
		}
	}
}

// arrival is one request that a target got.
type arrival struct {
	service string
	id      string
	attempt int
	at      time.Time
	header  http.Header
	body    string
}

// targets are all Services. It counts what comes in and answers as scripted.
type targets struct {
	mu       sync.Mutex
	arrivals []arrival
	current  map[string]int
	most     map[string]int
	// answer returns the status, or an error for no answer; nil means 200.
	answer func(r *http.Request, service string) (int, http.Header, error)
}

func (ts *targets) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	service, _, _ := strings.Cut(r.Host, ".svc.")
	attempt, _ := strconv.Atoi(r.Header.Get("Postern-Attempt"))
	answer := ts.enter(arrival{
		service: service, id: r.Header.Get("Postern-Event-Id"), attempt: attempt, at: time.Now(),
		header: r.Header, body: string(body),
	})
	defer ts.leave(service)
	if answer == nil {
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
	}
	status, header, err := answer(r, service)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: status, Header: header, Body: http.NoBody}, nil
}

func (ts *targets) enter(a arrival) func(*http.Request, string) (int, http.Header, error) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.arrivals = append(ts.arrivals, a)
	if ts.current == nil {
		ts.current, ts.most = map[string]int{}, map[string]int{}
	}
	ts.current[a.service]++
	ts.most[a.service] = max(ts.most[a.service], ts.current[a.service])
	return ts.answer
}

func (ts *targets) leave(service string) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.current[service]--
}

func (ts *targets) script(answer func(r *http.Request, service string) (int, http.Header, error)) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.answer = answer
}

// reply makes every target answer with a status.
func (ts *targets) reply(status int) {
	ts.script(func(*http.Request, string) (int, http.Header, error) { return status, nil, nil })
}

// at returns what a service got so far, or everything.
func (ts *targets) at(service ...string) []arrival {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(ts.arrivals), func(a arrival) bool {
		return len(service) > 0 && a.service != service[0]
	})
}

// hang waits as a slow target does.
func hang(r *http.Request, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-r.Context().Done():
		return r.Context().Err()
	}
}

// observer keeps what the engine reports.
type observer struct {
	mu       sync.Mutex
	reports  []deliver.Report
	expired  int
	breakers []bool
	removed  []deliver.Ref
	depths   map[deliver.Ref]queue.Depth
}

func (o *observer) Attempted(report deliver.Report) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.reports = append(o.reports, report)
}

func (o *observer) Measured(ref deliver.Ref, depth queue.Depth) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.depths == nil {
		o.depths = map[deliver.Ref]queue.Depth{}
	}
	o.depths[ref] = depth
}

func (o *observer) DeadExpired(_ deliver.Ref, count int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.expired += count
}

func (o *observer) BreakerChanged(_ deliver.Ref, open bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.breakers = append(o.breakers, open)
}

func (o *observer) Removed(ref deliver.Ref) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.removed = append(o.removed, ref)
}

// flaky is the real store with a switch for its worker side, and counters.
type flaky struct {
	queue.Worker
	// slow is how long a settlement takes.
	slow   time.Duration
	mu     sync.Mutex
	err    error
	counts map[string]int
}

func (f *flaky) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

func (f *flaky) called(method string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.counts[method]
}

func (f *flaky) call(method string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.counts == nil {
		f.counts = map[string]int{}
	}
	f.counts[method]++
	return f.err
}

func (f *flaky) Claim(ctx context.Context, id queue.ID, limit int, lease time.Duration) ([]queue.Delivery, error) {
	if err := f.call("Claim"); err != nil {
		return nil, err
	}
	return f.Worker.Claim(ctx, id, limit, lease)
}

func (f *flaky) Renew(ctx context.Context, leases []queue.Lease, lease time.Duration) ([]queue.Lease, error) {
	if err := f.call("Renew"); err != nil {
		return nil, err
	}
	return f.Worker.Renew(ctx, leases, lease)
}

func (f *flaky) Settle(ctx context.Context, lease queue.Lease, settlement queue.Settlement) error {
	if f.slow > 0 {
		<-time.After(f.slow)
	}
	if err := f.call("Settle"); err != nil {
		return err
	}
	return f.Worker.Settle(ctx, lease, settlement)
}

func (f *flaky) Depths(ctx context.Context, ids []queue.ID) ([]queue.Depth, error) {
	if err := f.call("Depths"); err != nil {
		return nil, err
	}
	return f.Worker.Depths(ctx, ids)
}

// pass lets virtual time go by, and everything that happens in it.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func routes(endpoints ...*route.Endpoint) []*route.Endpoint { return endpoints }
