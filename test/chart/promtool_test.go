package chart_test

import (
	"bytes"
	"cmp"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// play is one case of testdata/alerts.yaml.
type play struct {
	Alert string
	// Interval is that of the series and of the evaluation; empty means a minute.
	Interval string
	Series   map[string]string
	Quiet    []string
	Fires    struct {
		At, Summary string
		Labels      map[string]string
	}
}

// Rules and their tests, in the words of promtool.
type (
	ruleTests struct {
		RuleFiles          []string   `json:"rule_files"`
		EvaluationInterval string     `json:"evaluation_interval"`
		Tests              []ruleTest `json:"tests"`
	}
	ruleTest struct {
		Name           string      `json:"name"`
		Interval       string      `json:"interval"`
		InputSeries    []series    `json:"input_series"`
		AlertRuleTests []alertTest `json:"alert_rule_test"`
	}
	series struct {
		Series string `json:"series"`
		Values string `json:"values"`
	}
	alertTest struct {
		Alertname string     `json:"alertname"`
		EvalTime  string     `json:"eval_time"`
		ExpAlerts []expected `json:"exp_alerts,omitempty"`
	}
	expected struct {
		Labels      map[string]string `json:"exp_labels"`
		Annotations map[string]string `json:"exp_annotations"`
	}
)

// Every alert fires when it should, says what it should, and clears.
func TestAlertsFireAndClear(t *testing.T) {
	t.Parallel()
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is missing: run hack/prometheus, which installs it, to test the alerts")
	}
	rules := renderedRules(t)
	var plays []play
	read(t, "testdata/alerts.yaml", &plays)
	for name, rule := range rules {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tests := promtoolTests(plays, rule)
			if len(tests.Tests) == 0 {
				t.Fatal("no case shows it firing")
			}
			folder := t.TempDir()
			groups := []any{map[string]any{"name": "postern", "rules": []any{rule}}}
			writeYAML(t, filepath.Join(folder, "rules.yaml"), map[string]any{"groups": groups})
			writeYAML(t, filepath.Join(folder, "tests.yaml"), tests)
			for _, arguments := range [][]string{{"check", "rules", "rules.yaml"}, {"test", "rules", "tests.yaml"}} {
				command := exec.CommandContext(t.Context(), promtool, arguments...)
				command.Dir = folder
				if out, err := command.CombinedOutput(); err != nil || bytes.Contains(out, []byte("FAILED")) {
					t.Errorf("promtool %q: %v\n%s", arguments, err, out)
				}
			}
		})
	}
	for _, one := range plays {
		if rules[one.Alert] == nil {
			t.Errorf("a case plays %s, which is no alert", one.Alert)
		}
	}
}

// renderedRules are the rules of the PrometheusRule as the chart renders it, by
// their names. Of the annotations they keep the summary, which the cases expect.
func renderedRules(t *testing.T) map[string]map[string]any {
	t.Helper()
	manifests := objects(t, render(t, "--set", "metrics.prometheusRule.enabled=true"))
	groups, _, err := unstructured.NestedSlice(find(t, manifests, "PrometheusRule", "postern").Object, "spec", "groups")
	if err != nil {
		t.Fatal(err)
	}
	rules := map[string]map[string]any{}
	for _, group := range groups {
		for _, item := range group.(map[string]any)["rules"].([]any) {
			rule := item.(map[string]any)
			rule["annotations"] = map[string]any{"summary": rule["annotations"].(map[string]any)["summary"]}
			rules[rule["alert"].(string)] = rule
		}
	}
	if len(rules) != len(alerts(t)) {
		t.Fatalf("the chart renders %d alerts of %d", len(rules), len(alerts(t)))
	}
	return rules
}

// promtoolTests are the cases of one rule; none if no case shows it firing.
func promtoolTests(plays []play, rule map[string]any) ruleTests {
	tests, fires := ruleTests{RuleFiles: []string{"rules.yaml"}}, false
	for _, one := range plays {
		if one.Alert != rule["alert"] {
			continue
		}
		tests.EvaluationInterval = cmp.Or(one.Interval, "1m")
		test := ruleTest{Name: one.Alert, Interval: tests.EvaluationInterval}
		for name, values := range one.Series {
			test.InputSeries = append(test.InputSeries, series{Series: name, Values: values})
		}
		for _, at := range one.Quiet {
			test.AlertRuleTests = append(test.AlertRuleTests, alertTest{Alertname: one.Alert, EvalTime: at})
		}
		if one.Fires.At != "" {
			fires = true
			labels := map[string]string{"severity": rule["labels"].(map[string]any)["severity"].(string)}
			maps.Copy(labels, one.Fires.Labels)
			test.AlertRuleTests = append(test.AlertRuleTests, alertTest{
				Alertname: one.Alert, EvalTime: one.Fires.At,
				ExpAlerts: []expected{{Labels: labels, Annotations: map[string]string{"summary": one.Fires.Summary}}},
			})
		}
		tests.Tests = append(tests.Tests, test)
	}
	if !fires {
		tests.Tests = nil
	}
	return tests
}

func writeYAML(t *testing.T, file string, content any) {
	t.Helper()
	data, err := yaml.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
