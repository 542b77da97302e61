package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/postern-dev/postern/receiver/metrics/definition"
)

func TestMetricsPage(t *testing.T) {
	t.Parallel()
	page := filepath.Join(t.TempDir(), "metrics.md")
	write(t, page, "By hand.\n"+markerBegin("receiver")+"\nstale\n"+markerEnd+"\nEnd.\n")
	definitions := []definition.Definition{
		{Name: "things_total", Kind: definition.Counter, Help: "Things | others.", Labels: []string{"a", "b"}},
		{Name: "wait_seconds", Kind: definition.Histogram, Help: "Waits.", Buckets: []float64{.005, 1, 259200}},
	}
	if err := metricsPage(page, map[string][]definition.Definition{"receiver": definitions}); err != nil {
		t.Fatal(err)
	}
	text := read(t, page)
	for _, want := range []string{
		"By hand.", "End.",
		"| `postern_things_total` | counter | `a`, `b` | Things \\| others. |",
		"| `postern_wait_seconds` | histogram |  | Waits. Buckets: 0.005, 1, 259200. |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "stale") {
		t.Error("the old table is still there")
	}
	if err := metricsPage(page, map[string][]definition.Definition{"manager": definitions}); err == nil {
		t.Error("a page without a marker for the manager is accepted")
	}
}
