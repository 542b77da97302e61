package chart_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/postern-dev/postern/controllers"
	"github.com/postern-dev/postern/receiver/metrics"
	"github.com/postern-dev/postern/receiver/metrics/definition"
)

type alert struct {
	Alert, Expr, For, Severity, Runbook, Summary, Description string
}

var metricName = regexp.MustCompile(`postern_[a-z_]+`)

// An alert on a metric that nobody exports never fires.
func TestAlertsUseMetricsThatExist(t *testing.T) {
	t.Parallel()
	exported := exportedNames()
	for _, alert := range alerts(t) {
		names := metricName.FindAllString(alert.Expr, -1)
		if len(names) == 0 {
			t.Errorf("%s uses no metric: %s", alert.Alert, alert.Expr)
		}
		for _, name := range names {
			if !exported[name] {
				t.Errorf("%s: nothing exports %s", alert.Alert, name)
			}
		}
	}
}

// exportedNames are the names of all series, those of histograms included.
func exportedNames() map[string]bool {
	exported := map[string]bool{}
	for _, one := range slices.Concat(metrics.Definitions(), controllers.MetricDefinitions()) {
		names := []string{one.FullName()}
		if one.Kind == definition.Histogram {
			names = []string{one.FullName() + "_bucket", one.FullName() + "_sum", one.FullName() + "_count"}
		}
		for _, name := range names {
			exported[name] = true
		}
	}
	return exported
}

func TestAlertsLeadToTheRunbook(t *testing.T) {
	t.Parallel()
	runbook, err := os.ReadFile(root + "/docs/runbook.md")
	if err != nil {
		t.Fatal(err)
	}
	var anchors []string
	for line := range strings.Lines(string(runbook)) {
		if title, found := strings.CutPrefix(strings.TrimSpace(line), "## "); found {
			plain := regexp.MustCompile("[^a-z0-9 -]").ReplaceAllString(strings.ToLower(title), "")
			anchors = append(anchors, strings.ReplaceAll(plain, " ", "-"))
		}
	}
	for _, alert := range alerts(t) {
		if !slices.Contains(anchors, alert.Runbook) {
			t.Errorf("%s: the runbook has no heading #%s, only %q", alert.Alert, alert.Runbook, anchors)
		}
		if alert.Summary == "" || alert.Description == "" || !slices.Contains([]string{"critical", "warning", "info"}, alert.Severity) {
			t.Errorf("%s lacks a summary, a description or a severity: %+v", alert.Alert, alert)
		}
	}
}

func alerts(t *testing.T) []alert {
	t.Helper()
	var found []alert
	read(t, chart+"/files/alerts.yaml", &found)
	if len(found) < 5 {
		t.Fatalf("only %d alerts", len(found))
	}
	return found
}
