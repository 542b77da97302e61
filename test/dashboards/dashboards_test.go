// Package dashboards_test proves the Grafana dashboards of the chart: every
// panel's query returns data from a real Prometheus that scraped a real manager
// and a real receiver at work. With -update it also draws the pictures of the
// documentation from what the panels show.
package dashboards_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/postern-dev/postern/controllers"
	"github.com/postern-dev/postern/receiver/metrics"
	"github.com/postern-dev/postern/receiver/metrics/definition"
)

const (
	root     = "../.."
	folder   = root + "/charts/postern/dashboards"
	pictures = root + "/docs/images"
)

var update = flag.Bool("update", false, "draw the pictures of the dashboards anew")

// dashboard is what of Grafana's JSON matters here.
type dashboard struct {
	UID        string
	Title      string
	Panels     []panel
	Templating struct {
		List []struct{ Name, Type, Definition string }
	}
	name string
}

type panel struct {
	ID                       int
	Type, Title, Description string
	Targets                  []struct{ Expr, LegendFormat string }
	FieldConfig              struct{ Defaults struct{ Unit string } }
	GridPos                  struct{ X, Y, W, H int }
}

func dashboards(t *testing.T) []dashboard {
	t.Helper()
	files, err := filepath.Glob(folder + "/*.json")
	if err != nil || len(files) != 4 {
		t.Fatalf("dashboards: %v %v", files, err)
	}
	var found []dashboard
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		one := dashboard{name: strings.TrimSuffix(filepath.Base(file), ".json")}
		if err := json.Unmarshal(data, &one); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		found = append(found, one)
	}
	return found
}

var metricName = regexp.MustCompile(`postern_[a-z_]+`)

// A panel on a metric that nobody exports is empty for ever.
func TestPanelsUseMetricsThatExist(t *testing.T) {
	t.Parallel()
	exported := map[string]bool{}
	for _, one := range slices.Concat(metrics.Definitions(), controllers.MetricDefinitions()) {
		exported[one.FullName()] = true
		if one.Kind == definition.Histogram {
			exported[one.FullName()+"_bucket"], exported[one.FullName()+"_count"] = true, true
		}
	}
	uids := map[string]bool{}
	for _, one := range dashboards(t) {
		if uids[one.UID] {
			t.Errorf("two dashboards are %s", one.UID)
		}
		uids[one.UID] = true
		for _, p := range one.Panels {
			if p.Title == "" || p.Description == "" || len(p.Targets) == 0 {
				t.Errorf("%s: panel %d lacks a title, a description or a query", one.Title, p.ID)
			}
			for _, q := range p.Targets {
				for _, name := range metricName.FindAllString(q.Expr, -1) {
					if !exported[name] {
						t.Errorf("%s, %s: nothing exports %s", one.Title, p.Title, name)
					}
				}
			}
		}
	}
}

func TestPanelsDoNotOverlap(t *testing.T) {
	t.Parallel()
	for _, one := range dashboards(t) {
		taken := map[[2]int]string{}
		for _, p := range one.Panels {
			for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
				for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
					if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
						t.Fatalf("%s: %q lies on %q or leaves the page", one.Title, p.Title, other)
					}
					taken[[2]int{x, y}] = p.Title
				}
			}
		}
	}
}

// filled is a query with Grafana's variables filled in, for everything.
func filled(expr string) string {
	return strings.NewReplacer(
		"$__rate_interval", "10s", "$namespace", ".*", "$endpoint", ".*", "$target", ".*").Replace(expr)
}
