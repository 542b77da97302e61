package deliver_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/deliver"
	"github.com/postern-dev/postern/receiver/deliver/outbound"
	"github.com/postern-dev/postern/receiver/event"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/route"
)

// directly runs an engine whose Service a.ci is a real server.
func directly(t *testing.T, e *route.Endpoint, handler http.HandlerFunc) (*deliver.Engine, *observer) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	seen := &observer{}
	engine := deliver.New(deliver.Options{
		Worker: queue.NewMemory(queue.MemoryOptions{}), Observer: seen,
		Network: outbound.Network{Forward: map[string]*url.URL{"ci/a": address}},
	})
	engine.SetRoutes(routes(e))
	ctx, cancel := context.WithCancel(t.Context())
	engine.Start(ctx)
	t.Cleanup(func() {
		cancel()
		engine.Wait()
	})
	return engine, seen
}

func direct(uid string) *event.Event {
	return &event.Event{
		ID: "00000000000000000000000000000001", EndpointUID: uid, Namespace: "ci", Endpoint: "in", Source: "slack",
		ReceivedAt: time.Now(), Verified: true, Method: http.MethodPost, Header: http.Header{}, Body: []byte("payload"),
	}
}

func TestDirectRelaysTheAnswer(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 302, 404, 410, 500} {
		e := endpoint("ci", "a")
		engine, seen := directly(t, e, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			w.Header().Set("X-Answer", "yes")
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
			_, _ = w.Write(append(body, "!\n"...))
		})
		response, err := engine.Direct(t.Context(), direct(e.UID), "a")
		if err != nil {
			t.Fatal(err)
		}
		if response.Status != status || string(response.Body) != "payload!\n" || response.Header.Get("X-Answer") != "yes" {
			t.Errorf("got %d %q %v, want what the target said", response.Status, response.Body, response.Header)
		}
		report := seen.reports[0]
		if !report.Direct || report.Status != status || (report.Result == deliver.ResultDelivered) != (status == 200) {
			t.Errorf("report is %+v", report)
		}
	}
}

func TestDirectRefusesWhatMustNotBeSent(t *testing.T) {
	t.Parallel()
	e := endpoint("ci", "a")
	for name, edited := range map[string]*route.Endpoint{
		"suspended": suspended(e),
		"no service": changed(e, func(e *route.Endpoint) {
			e.Targets[0].Unavailable = &route.Unavailable{Reason: "ServiceNotFound"}
		}),
		"other target":   changed(e, func(e *route.Endpoint) { e.Targets[0].Name = "b" }),
		"other endpoint": changed(e, func(e *route.Endpoint) { e.UID = "another" }),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			engine, _ := directly(t, edited, func(http.ResponseWriter, *http.Request) { t.Error("the target was called") })
			if _, err := engine.Direct(t.Context(), direct(e.UID), "a"); !errors.Is(err, deliver.ErrNoTarget) {
				t.Errorf("got %v, want ErrNoTarget", err)
			}
		})
	}
}

func TestDirectObeysMaxInFlightAndTheSendersPatience(t *testing.T) {
	t.Parallel()
	e := changed(endpoint("ci", "a"), func(e *route.Endpoint) { e.Targets[0].MaxInFlight = 1 })
	arrived := make(chan struct{}, 1)
	engine, _ := directly(t, e, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		arrived <- struct{}{}
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() {
		_, err := engine.Direct(ctx, direct(e.UID), "a")
		first <- err
	}()
	<-arrived
	if _, err := engine.Direct(t.Context(), direct(e.UID), "a"); !errors.Is(err, deliver.ErrBusy) {
		t.Errorf("second request: got %v, want ErrBusy", err)
	}
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("first request: got %v, want the sender's cancellation", err)
	}
	limited, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	if _, err := engine.Direct(limited, direct(e.UID), "a"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("third request: got %v, want the sender's deadline and no longer ErrBusy", err)
	}
}
