package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/postern-dev/postern/receiver/metrics/definition"
)

// metricsPage rewrites the tables of the page of metrics, one for each process.
func metricsPage(page string, processes map[string][]definition.Definition) error {
	data, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	text := string(data)
	for process, definitions := range processes {
		if text, err = splice(text, process, metricTable(definitions)); err != nil {
			return fmt.Errorf("%s: %w", page, err)
		}
	}
	if text == string(data) {
		return nil
	}
	return os.WriteFile(page, []byte(text), 0o644) //nolint:gosec // documentation is public
}

func metricTable(definitions []definition.Definition) string {
	var out strings.Builder
	out.WriteString("| metric | type | labels | meaning |\n|---|---|---|---|\n")
	for _, one := range definitions {
		meaning := strings.ReplaceAll(one.Help, "|", "\\|")
		if len(one.Buckets) > 0 {
			meaning += " Buckets: " + buckets(one.Buckets) + "."
		}
		fmt.Fprintf(&out, "| `%s` | %s | %s | %s |\n", one.FullName(), one.Kind, codes(one.Labels), meaning)
	}
	return out.String()
}

func buckets(bounds []float64) string {
	texts := make([]string, len(bounds))
	for i, bound := range bounds {
		texts[i] = strconv.FormatFloat(bound, 'f', -1, 64)
	}
	return strings.Join(texts, ", ")
}
