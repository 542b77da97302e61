package dashboards_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/postern-dev/postern/test/wait"
)

// recorded is how much of the run the pictures show.
const recorded = time.Minute

// Every query of every panel parses and returns data, from a Prometheus that
// scraped a manager and a receiver at work.
func TestPanelsHaveData(t *testing.T) {
	w := start(t)
	server := startPrometheus(t, w.manager, w.receiver)
	ctx, stop := context.WithCancel(t.Context())
	var senders sync.WaitGroup
	senders.Go(func() { w.load(ctx) })
	defer senders.Wait()
	defer stop()
	if *update {
		goOn(t, recorded/2)
	}
	// The store is away for a moment, twice: one panel is about that.
	for range 2 {
		w.store.Pause(t)
		goOn(t, 4*time.Second)
		w.store.Resume(t)
		goOn(t, 2*time.Second)
	}
	if *update {
		goOn(t, recorded/2)
	}
	deadline := time.Now().Add(wait.Patience)
	for _, one := range dashboards(t) {
		for _, p := range one.Panels {
			for _, q := range p.Targets {
				await(t, server, deadline, one.Title+", "+p.Title, filled(q.Expr))
			}
		}
		for _, v := range one.Templating.List {
			if metric := metricName.FindString(v.Definition); metric != "" {
				await(t, server, deadline, one.Title+", variable "+v.Name, fmt.Sprintf("count by (%s) (%s)", v.Name, metric))
			}
		}
	}
	lint(t, w)
	changeLevel(t, w)
	if *update {
		draw(t, server)
	}
}

// await polls until a query has data. A query that Prometheus cannot read fails at once.
func await(t *testing.T, server *prometheus, deadline time.Time, what, expr string) {
	t.Helper()
	for {
		found, err := server.query(t.Context(), expr)
		if err != nil {
			t.Fatalf("%s: %v\n%s", what, err, expr)
		}
		if len(found) > 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("%s shows nothing:\n%s", what, expr)
			return
		}
		goOn(t, 500*time.Millisecond)
	}
}

// goOn lets the real processes go on; nothing depends on how far they get.
func goOn(t *testing.T, of time.Duration) {
	t.Helper()
	timer := time.NewTimer(of)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context().Done():
	}
}

// lint holds both scrapes, as they are, to the rules of Prometheus. Metrics of
// libraries are theirs.
func lint(t *testing.T, w *world) {
	t.Helper()
	for _, address := range []string{w.manager, w.receiver} {
		problems, err := promlint.New(w.scrape(t, address)).Lint()
		if err != nil {
			t.Fatal(err)
		}
		for _, problem := range problems {
			if strings.HasPrefix(problem.Metric, "postern_") {
				t.Errorf("promlint: %s: %s", problem.Metric, problem.Text)
			}
		}
	}
}

// changeLevel makes both processes tell more while they run.
func changeLevel(t *testing.T, w *world) {
	t.Helper()
	for _, address := range []string{w.manager, w.receiver} {
		url := "http://" + address + "/loglevel"
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url, strings.NewReader(`{"level":"debug"}`))
		if err != nil {
			t.Fatal(err)
		}
		response, err := w.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("%s answers %s", url, response.Status)
		}
	}
}

// draw writes a picture of every dashboard.
func draw(t *testing.T, server *prometheus) {
	t.Helper()
	if err := os.MkdirAll(pictures, 0o750); err != nil {
		t.Fatal(err)
	}
	for _, one := range dashboards(t) {
		var plots []plot
		for _, p := range one.Panels {
			made := plot{panel: p}
			for _, q := range p.Targets {
				found, err := server.history(t.Context(), filled(q.Expr), recorded)
				if err != nil {
					t.Fatal(err)
				}
				for _, s := range found {
					made.add(q.LegendFormat, s)
				}
			}
			plots = append(plots, made)
		}
		file := filepath.Join(pictures, "dashboard-"+one.name+".svg")
		if err := os.WriteFile(file, []byte(page(one.Title, plots)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
