package server_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/route/routetest"
	"github.com/postern-dev/postern/receiver/server"
	"github.com/postern-dev/postern/test/wait"
)

func delay(d time.Duration) func(*server.Options) {
	return func(o *server.Options) { o.ShutdownDelay = d }
}

// delayedBy makes the delay last until the context ends.
func delayedBy(ctx context.Context) func(*server.Options) {
	return func(o *server.Options) { o.Sleep = func(time.Duration) { <-ctx.Done() } }
}

func grace(d time.Duration) func(*server.Options) {
	return func(o *server.Options) { o.GracePeriod = d }
}

// stopped waits for Run to return nil.
func (w *world) stopped(t *testing.T) {
	t.Helper()
	if err := wait.Next(t, "the end of Run", w.ended); err != nil {
		t.Errorf("Run returned %v", err)
	}
	w.ended <- nil // for the clean-up
}

func TestStopServesOnUntilNobodyRoutesHere(t *testing.T) {
	t.Parallel()
	builder := newTarget(t, nil)
	serveOn, letGo := context.WithCancel(t.Context())
	w := start(t, builder.URL, delayedBy(serveOn))
	w.load(t, routetest.GitHub("hook"))
	w.stop()
	wait.Until(t, "it is no longer ready", func() bool {
		got := w.ask(t, "GET", "/readyz", "")
		return got.status == 503 && strings.Contains(got.body, "stopping")
	})
	if got := w.push(t, "late"); got.status != 200 {
		t.Errorf("a late request: %d %s", got.status, got.body)
	}
	if got := builder.next(t); got.header.Get("X-GitHub-Delivery") != "late" {
		t.Errorf("the target got %v", got.header)
	}
	letGo()
	w.stopped(t)
	if conn, err := net.Dial("tcp", w.Addr().String()); err == nil {
		_ = conn.Close()
		t.Error("it still accepts connections")
	}
	if conn, err := net.Dial("tcp", w.InternalAddr().String()); err == nil {
		_ = conn.Close()
		t.Error("the internal server still accepts connections")
	}
	order := []string{`"public server"`, `"delivery"`, `"internal server"`}
	log := w.log.String()
	for i, part := range order[1:] {
		if strings.Index(log, order[i]) > strings.Index(log, part) {
			t.Errorf("%s stopped before %s:\n%s", part, order[i], log)
		}
	}
}

func TestStopTakesTheDelay(t *testing.T) {
	t.Parallel()
	w := start(t, newTarget(t, nil).URL, delay(500*time.Millisecond))
	w.load(t, routetest.GitHub("hook"))
	began := time.Now()
	w.stop()
	w.stopped(t)
	if took := time.Since(began); took < 500*time.Millisecond {
		t.Errorf("it took %s, less than the delay", took)
	}
}

func TestStopFinishesTheRequestUnderWay(t *testing.T) {
	t.Parallel()
	w := start(t, newTarget(t, nil).URL)
	w.load(t, routetest.GitHub("hook"))
	request := w.pushRequest(t, "slow")
	var head strings.Builder
	head.WriteString("POST /ci/hook HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n")
	_ = request.Header.Write(&head)
	c := dial(t, w)
	c.write(t, fmt.Sprintf("%sContent-Length: %d\r\n\r\n", head.String(), len(payload)))
	c.expect(t, 100) // the body is waited for: the request is under way
	w.stop()
	wait.Until(t, "the listener is closed", func() bool {
		probe, err := net.Dial("tcp", w.Addr().String())
		if err == nil {
			_ = probe.Close()
		}
		return err != nil
	})
	c.write(t, string(payload))
	c.expect(t, 200)
	w.stopped(t)
}

// TestStopDeliversWhatWaits: the target is slow, and the signal comes while
// events are on their way; all of them arrive before Run returns.
func TestStopDeliversWhatWaits(t *testing.T) {
	t.Parallel()
	builder, open := newGate(t, http.StatusOK)
	w := start(t, builder.URL)
	w.load(t, routetest.GitHub("hook", func(e *route.Endpoint) { e.Targets[0].MaxInFlight = 2 }))
	ids := map[string]bool{}
	for _, id := range []string{"a", "b", "c", "d", "e", "f"} {
		if got := w.push(t, id); got.status != 200 {
			t.Fatalf("%s: %d %s", id, got.status, got.body)
		}
		ids[id] = true
	}
	builder.next(t)
	w.stop()
	wait.Until(t, "the public server is down", func() bool {
		return strings.Contains(w.log.String(), `"part":"public server"`)
	})
	open()
	w.stopped(t)
	page, err := w.store.List(t.Context(), "uid-hook", queue.Filter{})
	if err != nil || len(page.Events) != len(ids) {
		t.Fatalf("events: %v, %v", page.Events, err)
	}
	for _, event := range page.Events {
		if event.Status != queue.StatusDelivered {
			t.Errorf("%s is %s", event.DeliveryID, event.Status)
		}
	}
}

// TestStopDeliversBesideASlowClient: a client that never sends its body takes
// its share of the grace period, not that of the events.
func TestStopDeliversBesideASlowClient(t *testing.T) {
	t.Parallel()
	builder, open := newGate(t, http.StatusOK)
	w := start(t, builder.URL, grace(20*time.Second)) // 8 s for the client, 8 s for the event
	w.load(t, routetest.GitHub("hook"))
	request := w.pushRequest(t, "slow")
	var head strings.Builder
	_ = request.Header.Write(&head)
	c := dial(t, w)
	c.write(t, fmt.Sprintf("POST /ci/hook HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n%sContent-Length: %d\r\n\r\n",
		head.String(), len(payload)))
	c.expect(t, 100)
	if got := w.push(t, "waits"); got.status != 200 {
		t.Fatalf("answer %d %s", got.status, got.body)
	}
	builder.next(t)
	w.stop()
	wait.Until(t, "the public server is given up", func() bool {
		return strings.Contains(w.log.String(), `"part":"public server"`)
	})
	open()
	w.stopped(t)
	page, err := w.store.List(t.Context(), "uid-hook", queue.Filter{})
	if err != nil || len(page.Events) != 1 || page.Events[0].Status != queue.StatusDelivered {
		t.Errorf("events: %+v, %v; want one that was delivered", page.Events, err)
	}
}

// TestStopGivesLeasesBack: a target that never answers must not keep the
// process, and what it did not take is due again at once.
func TestStopGivesLeasesBack(t *testing.T) {
	t.Parallel()
	builder := newTarget(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	w := start(t, builder.URL, grace(8*time.Second))
	w.load(t, routetest.GitHub("hook", func(e *route.Endpoint) { e.Targets[0].TimeoutSeconds = 3600 }))
	if got := w.push(t, "stuck"); got.status != 200 {
		t.Fatalf("answer %d %s", got.status, got.body)
	}
	builder.next(t)
	w.stop()
	w.stopped(t)
	id := queue.ID{EndpointUID: "uid-hook", Target: "builder"}
	deliveries, err := w.store.Claim(t.Context(), id, 10, time.Minute)
	if err != nil || len(deliveries) != 1 || deliveries[0].Event.DeliveryID != "stuck" {
		t.Errorf("due again: %v, %v", deliveries, err)
	}
}
