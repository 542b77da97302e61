// Command dashboards writes the Grafana dashboards of the Helm chart. Grafana's
// JSON repeats itself for every panel; here a panel is a title, a unit and its
// queries.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

const folder = "charts/postern/dashboards"

func main() {
	if err := run(folder); err != nil {
		fmt.Fprintf(os.Stderr, "dashboards: %v\n", err)
		os.Exit(1)
	}
}

func run(folder string) error {
	for _, one := range []dashboard{overview, endpoint, target, store} {
		var out bytes.Buffer
		encoder := json.NewEncoder(&out)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", " ")
		if err := encoder.Encode(one.grafana()); err != nil {
			return fmt.Errorf("%s: %w", one.name, err)
		}
		file := filepath.Join(folder, one.name+".json")
		if old, err := os.ReadFile(file); err == nil && bytes.Equal(old, out.Bytes()) {
			continue
		}
		if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil { //nolint:gosec // a chart is public
			return err
		}
	}
	return nil
}
