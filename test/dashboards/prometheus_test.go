package dashboards_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/postern-dev/postern/test/freeport"
	"github.com/postern-dev/postern/test/local"
	"github.com/postern-dev/postern/test/wait"
)

// prometheus is a server of its own that scrapes every second.
type prometheus struct {
	url    string
	client *http.Client
}

func startPrometheus(t *testing.T, scraped ...string) *prometheus {
	t.Helper()
	program, err := exec.LookPath("prometheus")
	if err != nil {
		t.Skip("prometheus is missing: run hack/prometheus, which installs it, to test the dashboards")
	}
	port, err := freeport.Find()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	targets, err := json.Marshal(scraped)
	if err != nil {
		t.Fatal(err)
	}
	config := "global: {scrape_interval: 1s}\nscrape_configs:\n- job_name: postern\n  honor_labels: true\n" +
		"  static_configs: [{targets: " + string(targets) + "}]\n"
	if err := os.WriteFile(filepath.Join(folder, "prometheus.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	address := "127.0.0.1:" + strconv.Itoa(port)
	process, err := local.Start(local.Command{
		Name: "prometheus", Program: program, Dir: folder, Log: filepath.Join(folder, "log"),
		Args: []string{
			"--config.file=prometheus.yaml", "--storage.tsdb.path=data", "--web.listen-address=" + address,
			"--query.lookback-delta=5s",
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(process.Stop)
	p := &prometheus{url: "http://" + address, client: &http.Client{Timeout: wait.Patience}}
	ready := func(ctx context.Context) error { return p.get(ctx, "/-/ready", nil, nil) }
	if err := process.Await(t.Context(), "Prometheus to be ready", wait.Patience, ready); err != nil {
		t.Fatal(err)
	}
	return p
}

// sample is a series with its values by second.
type sample struct {
	Metric map[string]string `json:"metric"`
	Values [][2]any          `json:"values"`
	Value  [2]any            `json:"value"`
}

// query asks for the value now.
func (p *prometheus) query(ctx context.Context, expr string) ([]sample, error) {
	return p.ask(ctx, "/api/v1/query", url.Values{"query": {expr}})
}

// history asks for the values of the time before now.
func (p *prometheus) history(ctx context.Context, expr string, of time.Duration) ([]sample, error) {
	now := time.Now()
	return p.ask(ctx, "/api/v1/query_range", url.Values{
		"query": {expr}, "step": {"1"},
		"start": {strconv.FormatInt(now.Add(-of).Unix(), 10)}, "end": {strconv.FormatInt(now.Unix(), 10)},
	})
}

func (p *prometheus) ask(ctx context.Context, path string, values url.Values) ([]sample, error) {
	var answer struct {
		Data struct{ Result []sample }
	}
	err := p.get(ctx, path, values, &answer)
	return answer.Data.Result, err
}

func (p *prometheus) get(ctx context.Context, path string, values url.Values, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+path+"?"+values.Encode(), nil)
	if err != nil {
		return err
	}
	response, err := p.client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		var refusal struct{ Error string }
		_ = json.NewDecoder(response.Body).Decode(&refusal) // a body that is no JSON says no more
		return fmt.Errorf("%s answers %s: %s", path, response.Status, refusal.Error)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(response.Body).Decode(into)
}
