// Command chart writes the parts of the Helm chart that repeat what stands
// elsewhere, so that they cannot differ from it: the CRDs, the manager's rules,
// the schema of the values and the table of the values in the README.
package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

const (
	chart     = "charts/postern"
	crdFiles  = "config/crd/bases/*.yaml"
	roleFile  = "config/rbac/role.yaml"
	valueFile = chart + "/values.yaml"
	receivers = "config/crd/bases/hooks.postern.dev_webhookreceivers.yaml"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintf(os.Stderr, "chart: %v\n", err)
		os.Exit(1)
	}
}

func run() error {
	for _, write := range []func() error{writeCRDs, writeRules, writeSchema, writeReadme} {
		if err := write(); err != nil {
			return err
		}
	}
	return nil
}

func writeCRDs() error {
	files, err := filepath.Glob(crdFiles)
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no %s: run `make manifests` first (%w)", crdFiles, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		template, err := crdTemplate(string(data))
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if err := write(filepath.Join(chart, "templates/crds", filepath.Base(file)), []byte(template)); err != nil {
			return err
		}
	}
	return nil
}

func writeRules() error {
	data, err := os.ReadFile(roleFile)
	if err != nil {
		return err
	}
	template, err := rulesTemplate(data)
	if err != nil {
		return fmt.Errorf("%s: %w", roleFile, err)
	}
	return write(filepath.Join(chart, "templates/_rules.tpl"), template)
}

func writeSchema() error {
	crd, err := os.ReadFile(receivers)
	if err != nil {
		return err
	}
	schema, err := valuesSchema(baseSchema, crd)
	if err != nil {
		return fmt.Errorf("schema of the values: %w", err)
	}
	return write(filepath.Join(chart, "values.schema.json"), schema)
}

func writeReadme() error {
	values, err := os.ReadFile(valueFile)
	if err != nil {
		return err
	}
	page := filepath.Join(chart, "README.md")
	text, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	table, err := valuesTable(values)
	if err != nil {
		return fmt.Errorf("%s: %w", valueFile, err)
	}
	updated, err := splice(string(text), table)
	if err != nil {
		return fmt.Errorf("%s: %w", page, err)
	}
	return write(page, []byte(updated))
}

// write leaves a file alone that is right already, for make's sake.
func write(file string, data []byte) error {
	if old, err := os.ReadFile(file); err == nil && bytes.Equal(old, data) {
		return nil
	}
	return os.WriteFile(file, data, 0o644) //nolint:gosec // a chart is public
}
