package metrics_test

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/postern-dev/postern/receiver/ingest"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/route/routetest"
	"github.com/postern-dev/postern/receiver/table"
)

// front is the hot path of a receiver, as the server wires it to its metrics.
type front struct {
	clients atomic.Int64
	*ingest.Handler
	registry *prometheus.Registry
}

func newFront(t *testing.T, routes ...*route.Endpoint) *front {
	t.Helper()
	m, registry := newMetrics(t, routes...)
	var current table.Current
	current.Set(table.Build(routes, nil))
	return &front{registry: registry, Handler: ingest.New(ingest.Options{
		Tables: current.Get, Store: queue.NewMemory(queue.MemoryOptions{}), Metrics: m,
	})}
}

// send makes one request, signed if key is not empty, and returns the status.
func (f *front) send(method, path, key, id, eventType string, body []byte) int {
	request := httptest.NewRequest(method, "http://hooks.example.com"+path, bytes.NewReader(body))
	// Refusals of one client are paced, so that each request has a client of its own.
	n := f.clients.Add(1)
	request.RemoteAddr = fmt.Sprintf("10.%d.%d.%d:1", byte(n>>16), byte(n>>8), byte(n))
	routetest.SignGitHub(request.Header, key, id, eventType, body)
	answer := httptest.NewRecorder()
	f.ServeHTTP(answer, request)
	return answer.Code
}

func (f *front) series(t *testing.T) int {
	t.Helper()
	families, err := f.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, family := range families {
		count += len(family.GetMetric())
	}
	return count
}

func random() string {
	var text [12]byte
	_, _ = rand.Read(text[:]) // it never fails
	return hex.EncodeToString(text[:])
}

// Whoever can reach the receiver must not be able to fill Prometheus.
func TestRequestsCannotMakeSeries(t *testing.T) {
	t.Parallel()
	f := newFront(t, routetest.GitHub("github", func(e *route.Endpoint) { e.HistoryLimit = 0 }))
	everyKind := func(round int) {
		unknown, hook := "/"+random()+"/"+random(), "/ci/github"
		for _, request := range []struct {
			method, path, key, eventType string
			want                         int
		}{
			{http.MethodPost, unknown, routetest.Key, random(), http.StatusNotFound},
			{random()[:5], hook, routetest.Key, random(), http.StatusMethodNotAllowed},
			{http.MethodPost, hook + "?" + random(), "forged", random(), http.StatusUnauthorized},
			{http.MethodPost, hook, routetest.Key, random(), http.StatusOK},
		} {
			got := f.send(request.method, request.path, request.key, random(), request.eventType, nil)
			if got != request.want {
				t.Fatalf("round %d: %+v is answered %d", round, request, got)
			}
		}
	}
	// 64 types get their own series; after these, nothing is new.
	for round := range 70 {
		everyKind(round)
	}
	before := f.series(t)
	for round := range 25_000 {
		everyKind(round)
	}
	if after := f.series(t); after != before {
		t.Errorf("%d series after 280 requests, %d after 100,000 more", before, after)
	}
	if before > 150 {
		t.Errorf("%d series of one endpoint", before)
	}
}

// What is counted is what happened.
func TestCountersAgreeWithTheLoad(t *testing.T) {
	t.Parallel()
	f := newFront(t,
		routetest.GitHub("github", func(e *route.Endpoint) { e.MaxBodyBytes = 64 }),
		routetest.GitHub("picky", func(e *route.Endpoint) { e.Targets[0].EventTypes = []string{"release"} }))
	type sent struct{ accepted, duplicate, ignored, mismatch, large, unknown int }
	truth := sent{}
	for i := range 500 {
		id, path, key, body := fmt.Sprint("id-", i), "/ci/github", routetest.Key, []byte("{}")
		want := &truth.accepted
		switch i % 6 {
		case 1:
			id, want = fmt.Sprint("id-", i-1), &truth.duplicate
		case 2:
			key, want = "forged", &truth.mismatch
		case 3:
			body, want = bytes.Repeat([]byte("x"), 65), &truth.large
		case 4:
			path, want = "/ci/nobody", &truth.unknown
		case 5:
			path, want = "/ci/picky", &truth.ignored
		}
		f.send(http.MethodPost, path, key, id, "push", body)
		*want++
	}
	judged := truth.accepted + truth.duplicate + truth.mismatch + truth.large
	want := map[string]int{
		`postern_requests_total{github ci accepted github}`:             truth.accepted,
		`postern_requests_total{github ci duplicate github}`:            truth.duplicate,
		`postern_requests_total{github ci rejected github}`:             truth.mismatch + truth.large,
		`postern_requests_total{picky ci ignored github}`:               truth.ignored,
		`postern_requests_total{  rejected }`:                           truth.unknown,
		`postern_rejections_total{github ci signature_mismatch github}`: truth.mismatch,
		`postern_rejections_total{github ci body_too_large github}`:     truth.large,
		`postern_rejections_total{  unknown_endpoint }`:                 truth.unknown,
		`postern_events_received_total{github push ci github}`:          truth.accepted,
		`postern_duplicates_total{same github ci github}`:               truth.duplicate,
		`postern_secret_used_total{github current ci github}`:           truth.accepted + truth.duplicate,
		`postern_secret_used_total{picky current ci github}`:            truth.ignored,
		`postern_receive_duration_seconds{github ci github}`:            judged,
		`postern_receive_duration_seconds{picky ci github}`:             truth.ignored,
		`postern_receive_duration_seconds{  }`:                          truth.unknown,
	}
	if diff := cmp.Diff(want, f.counts(t)); diff != "" {
		t.Errorf("sent (-) and counted (+) differ:\n%s", diff)
	}
}

// counts are the counters and the counts of histograms above zero, under the name and the
// values of the labels in their order.
func (f *front) counts(t *testing.T) map[string]int {
	t.Helper()
	families, err := f.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, family := range families {
		if family.GetType().String() == "GAUGE" {
			continue
		}
		for _, metric := range family.GetMetric() {
			var labels []string
			for _, label := range metric.GetLabel() {
				labels = append(labels, label.GetValue())
			}
			count := int(metric.GetCounter().GetValue()) + int(metric.GetHistogram().GetSampleCount())
			if count == 0 {
				continue
			}
			name := family.GetName() + "{" + strings.Join(labels, " ") + "}"
			counts[name] = count
		}
	}
	return counts
}
