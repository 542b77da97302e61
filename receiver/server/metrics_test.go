package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/queue/queuetest"
	"github.com/postern-dev/postern/receiver/queue/redistest"
	"github.com/postern-dev/postern/receiver/route/routetest"
	"github.com/postern-dev/postern/receiver/server"
	"github.com/postern-dev/postern/test/wait"
)

// What a scrape brings is what a linter of metrics has no complaint about.
func TestScrapeIsClean(t *testing.T) {
	t.Parallel()
	w := start(t, newTarget(t, nil).URL)
	w.load(t, routetest.GitHub("hook"))
	w.push(t, "one")
	w.push(t, "one")
	w.ask(t, http.MethodGet, "/healthz", "")
	wait.Until(t, "the delivery is counted", func() bool {
		return strings.Contains(w.ask(t, http.MethodGet, "/metrics", "").body, `outcome="delivered"`)
	})
	scrape := w.ask(t, http.MethodGet, "/metrics", "").body
	problems, err := promlint.New(strings.NewReader(scrape)).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("promlint: %v %v", problems, err)
	}
	for _, want := range []string{
		`postern_store_duration_seconds_count{outcome="ok"} 2`,
		`postern_requests_total{endpoint="hook",namespace="ci",outcome="duplicate",source="github"} 1`,
		`postern_deliveries_total{endpoint="hook",namespace="ci",outcome="delivered",target="builder"} 1`,
	} {
		if !strings.Contains(scrape, want) {
			t.Errorf("the scrape lacks %s:\n%s", want, scrape)
		}
	}
}

// A store that is away and a store that is weak are two things, because only
// the first mends itself.
func TestScrapeTellsTheStateOfTheStore(t *testing.T) {
	t.Parallel()
	weak := redistest.WithArgs("--appendfsync", "everysec")
	for name, c := range map[string]struct {
		options []redistest.Option
		accept  bool
		kill    bool
		want    []string
	}{
		"durable": {
			want: []string{"postern_ready 1", "postern_store_up 1", "postern_store_durable 1"},
		},
		"weak": {
			options: []redistest.Option{weak},
			want:    []string{"postern_ready 0", "postern_store_up 1", "postern_store_durable 0"},
		},
		"weak and accepted": {
			options: []redistest.Option{weak}, accept: true,
			want: []string{"postern_ready 1", "postern_store_up 1", "postern_store_durable 0"},
		},
		"away": {
			kill: true,
			want: []string{"postern_ready 0", "postern_store_up 0"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			redis := redistest.Start(t, c.options...)
			if c.kill {
				redis.Kill(t)
			}
			store := queuetest.Connect(t, queue.Options{URL: redis.URL(), AllowWeakDurability: c.accept})
			w := start(t, newTarget(t, nil).URL, func(o *server.Options) { o.Store = store })
			w.load(t, routetest.GitHub("hook"))
			for _, want := range c.want {
				wait.Until(t, "the scrape says "+want, func() bool {
					return strings.Contains(w.ask(t, http.MethodGet, "/metrics", "").body, want+"\n")
				})
			}
		})
	}
}
