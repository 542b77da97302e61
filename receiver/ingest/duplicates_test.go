package ingest_test

import (
	"bytes"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/postern-dev/postern/receiver/ingest"
	"github.com/postern-dev/postern/receiver/metrics"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/route/routetest"
	"github.com/postern-dev/postern/receiver/table"
)

// requireDuplicates compares the counted duplicates, by what is said of their bodies.
func requireDuplicates(t *testing.T, registry *prometheus.Registry, want map[string]float64) {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, family := range families {
		if family.GetName() != "postern_duplicates_total" {
			continue
		}
		for _, series := range family.GetMetric() {
			for _, label := range series.GetLabel() {
				if label.GetName() == "body" {
					got[label.GetValue()] += series.GetCounter().GetValue()
				}
			}
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("counted duplicates are %v, want %v", got, want)
	}
}

func TestDuplicatesAreCountedByBody(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	r, _ := newRedisReceiver(t, ingest.Options{Metrics: metrics.New(registry)})
	r.eventually(t, "1", 200, "accepted")
	requireDuplicates(t, registry, map[string]float64{})
	for _, body := range []string{string(payload), string(payload), `{"ref":"another"}`} {
		if got := r.do(t, r.push("/ci/hook", "1", []byte(body))); got.content["status"] != "duplicate" {
			t.Errorf("a copy with body %s: %d %s", body, got.status, got.body)
		}
	}
	requireDuplicates(t, registry, map[string]float64{"same": 2, "different": 1})
}

func TestUnverifiedDuplicatesAreNotCounted(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	r := newReceiver(t, ingest.Options{Metrics: metrics.New(registry)},
		routetest.GitHub("hook", routetest.Provider("none"), func(e *route.Endpoint) {
			e.Keys = nil
			e.Deduplication.KeyExpression = `"same"`
		}))
	for _, want := range []string{"accepted", "duplicate"} {
		if got := r.do(t, r.request(http.MethodPost, "/ci/hook", []byte(want))); got.content["status"] != want {
			t.Errorf("%d %s, want %s", got.status, got.body, want)
		}
	}
	requireDuplicates(t, registry, map[string]float64{})
}

// TestDirectDuplicatesAreCountedByBody: copies at the same time are compared. Of
// an event that was delivered before there is no body.
func TestDirectDuplicatesAreCountedByBody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		registry := prometheus.NewRegistry()
		target := &slowTarget{status: http.StatusCreated, open: make(chan struct{})}
		endpoint := routetest.GitHub("hook", func(e *route.Endpoint) { e.Delivery = route.DeliveryDirect })
		current := table.Build([]*route.Endpoint{endpoint}, nil)
		store := queue.NewMemory(queue.MemoryOptions{})
		handler := ingest.New(ingest.Options{
			Tables: func() *table.Table { return current }, Store: store, Marks: store, Deliverer: target,
			Metrics: metrics.New(registry),
		})
		send := func(body string) {
			request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/ci/hook", bytes.NewReader([]byte(body)))
			routetest.SignGitHub(request.Header, routetest.Key, "1", "push", []byte(body))
			handler.ServeHTTP(httptest.NewRecorder(), request)
		}
		var senders sync.WaitGroup
		for _, body := range []string{`{"n":1}`, `{"n":1}`, `{"n":2}`} {
			senders.Go(func() { send(body) })
			synctest.Wait() // the first is at the target, the others wait for it
		}
		close(target.open)
		senders.Wait()
		requireDuplicates(t, registry, map[string]float64{"same": 1, "different": 1})
		send(`{"n":1}`)
		requireDuplicates(t, registry, map[string]float64{"same": 1, "different": 1, "unknown": 1})
	})
}
