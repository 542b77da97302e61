package server_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/queue/queuetest"
	"github.com/postern-dev/postern/receiver/queue/redistest"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/route/routetest"
	"github.com/postern-dev/postern/receiver/server"
	"github.com/postern-dev/postern/test/wait"
)

func directly(e *route.Endpoint) { e.Delivery = route.DeliveryDirect }

// connect makes a client of the store, as each replica has one.
func connect(t testing.TB, store *redistest.Server) *queue.Redis {
	t.Helper()
	return queuetest.Connect(t, queue.Options{URL: store.URL(), PollInterval: 50 * time.Millisecond})
}

func on(store queue.Store) func(*server.Options) {
	return func(o *server.Options) { o.Store = store }
}

func (g *target) wantQuiet(t *testing.T) {
	t.Helper()
	select {
	case <-g.got:
		t.Error("the target got the event once more")
	default:
	}
}

func TestDirectRetryOfADeliveredEventIsADuplicate(t *testing.T) {
	t.Parallel()
	builder := newTarget(t, nil)
	w := start(t, builder.URL, on(connect(t, redistest.Start(t))))
	w.load(t, routetest.GitHub("hook", directly))
	if got := w.push(t, "1"); got.status != 200 || got.body != "" {
		t.Fatalf("answer %d %q, want the target's", got.status, got.body)
	}
	id := builder.next(t).header.Get("Postern-Event-Id")
	got := w.push(t, "1")
	if got.status != 200 || decode[map[string]string](t, got)["status"] != "duplicate" ||
		decode[map[string]string](t, got)["id"] != id {
		t.Errorf("answer %d %q, want a duplicate of %s", got.status, got.body, id)
	}
	builder.wantQuiet(t)
	w.load(t, routetest.GitHub("hook")) // delivered from the queue from now on
	if got := w.push(t, "1"); decode[map[string]string](t, got)["status"] != "duplicate" {
		t.Errorf("after a change of delivery the answer is %d %q", got.status, got.body)
	}
}

func TestDirectRetryOfARefusedEventIsDelivered(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	builder := newTarget(t, func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1) < 3 {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	w := start(t, builder.URL)
	w.load(t, routetest.GitHub("hook", directly))
	for i, want := range []int{500, 500, 200} {
		if got := w.push(t, "1"); got.status != want {
			t.Errorf("try %d: answer %d %q, want %d", i, got.status, got.body, want)
		}
	}
	if got := w.push(t, "1"); !strings.Contains(got.body, "duplicate") || calls.Load() != 3 {
		t.Errorf("answer %q after %d calls, want a duplicate after 3", got.body, calls.Load())
	}
}

// TestDirectCopiesReachTheTargetOnce sends 200 copies at once to two replicas
// of one store.
func TestDirectCopiesReachTheTargetOnce(t *testing.T) {
	t.Parallel()
	builder, open := newGate(t, http.StatusCreated)
	store := redistest.Start(t)
	replicas := []*world{
		start(t, builder.URL, on(connect(t, store))), start(t, builder.URL, on(connect(t, store))),
	}
	for _, w := range replicas {
		w.load(t, routetest.GitHub("hook", directly))
	}
	answers := make(chan reply, 200)
	var senders sync.WaitGroup
	for i := range cap(answers) {
		senders.Go(func() { answers <- replicas[i%2].push(t, "same") })
	}
	builder.next(t)
	open()
	senders.Wait()
	close(answers)
	created := 0
	for got := range answers {
		switch {
		case got.status == 201:
			created++
		case got.status != 200 || !strings.Contains(got.body, "duplicate"):
			t.Errorf("answer %d %q", got.status, got.body)
		}
	}
	if created != 1 {
		t.Errorf("%d senders got the target's own answer, want 1", created)
	}
	builder.wantQuiet(t)
}

// TestDirectCopyIsToldToComeAgain: its sender would not wait as long as the
// target takes, whichever replica it asks.
func TestDirectCopyIsToldToComeAgain(t *testing.T) {
	t.Parallel()
	builder, open := newGate(t, http.StatusCreated)
	store := redistest.Start(t)
	hurried := func(o *server.Options) { o.CopyTimeout = 200 * time.Millisecond }
	replicas := []*world{
		start(t, builder.URL, on(connect(t, store)), hurried), start(t, builder.URL, on(connect(t, store)), hurried),
	}
	for _, w := range replicas {
		w.load(t, routetest.GitHub("hook", directly))
	}
	first := make(chan reply, 1)
	go func() { first <- replicas[0].push(t, "slow") }()
	builder.next(t)
	var senders sync.WaitGroup
	for _, w := range replicas {
		senders.Go(func() {
			got := w.push(t, "slow")
			if got.status != 503 || !strings.Contains(got.body, "in_flight") || got.header.Get("Retry-After") != "2" {
				t.Errorf("answer %d %q %v", got.status, got.body, got.header)
			}
		})
	}
	senders.Wait()
	open()
	if got := <-first; got.status != 201 {
		t.Errorf("answer %d %q", got.status, got.body)
	}
	for _, w := range replicas {
		if got := w.push(t, "slow"); !strings.Contains(got.body, "duplicate") {
			t.Errorf("answer %d %q", got.status, got.body)
		}
	}
	builder.wantQuiet(t)
}

// TestDirectTargetMayFinish: the sender has less patience than the target takes.
func TestDirectTargetMayFinish(t *testing.T) {
	t.Parallel()
	builder, open := newGate(t, http.StatusCreated)
	w := start(t, builder.URL)
	w.load(t, routetest.GitHub("hook", directly))
	request := w.pushRequest(t, "1")
	ctx, leave := context.WithCancel(request.Context())
	left := make(chan error, 1)
	go func() {
		response, err := w.client.Do(request.WithContext(ctx))
		if err == nil {
			_ = response.Body.Close()
		}
		left <- err
	}()
	builder.next(t)
	leave()
	if err := <-left; err == nil {
		t.Error("the sender got an answer")
	}
	open()
	wait.Until(t, "the retry is a duplicate", func() bool { return strings.Contains(w.push(t, "1").body, "duplicate") })
	builder.wantQuiet(t)
}

// TestDirectWithoutAStore: what cannot be told apart is not delivered, unless
// nothing is to be told apart.
func TestDirectWithoutAStore(t *testing.T) {
	t.Parallel()
	builder := newTarget(t, nil)
	store := redistest.Start(t)
	client := queuetest.Connect(t, queue.Options{URL: store.URL(), StepTimeout: time.Second})
	w := start(t, builder.URL, on(client))
	w.load(t, routetest.GitHub("hook", directly))
	store.Kill(t)
	got := w.push(t, "1")
	if got.status != 503 || !strings.Contains(got.body, "store_unavailable") || got.header.Get("Retry-After") == "" {
		t.Errorf("answer %d %q %v", got.status, got.body, got.header)
	}
	builder.wantQuiet(t)
	w.load(t, routetest.GitHub("hook", directly, func(e *route.Endpoint) { e.Deduplication.WindowSeconds = 0 }))
	if got := w.push(t, "1"); got.status != 200 {
		t.Errorf("without deduplication the answer is %d %q", got.status, got.body)
	}
	builder.next(t)
}
