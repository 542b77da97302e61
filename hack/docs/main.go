// Command docs writes the field tables of the kinds' pages from the CRDs, the
// page of providers from the table of presets and the page of metrics from
// their definitions, so that nothing is missing and no default is stale. It
// rewrites what stands between the markers of docs/<kind>.md, docs/providers.md
// and docs/metrics.md and leaves the rest alone.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/postern-dev/postern/controllers"
	"github.com/postern-dev/postern/receiver/metrics"
	"github.com/postern-dev/postern/receiver/metrics/definition"
	"github.com/postern-dev/postern/receiver/verify"
)

const markerEnd = "<!-- end of generated fields -->"

func markerBegin(part string) string { return "<!-- generated fields: " + part + " -->" }

func main() {
	err := errors.Join(
		run("config/crd/bases", "docs"),
		providers("docs/providers.md", verify.Presets()),
		senders("docs/security.md", verify.Presets()),
		metricsPage("docs/metrics.md", map[string][]definition.Definition{
			"receiver": metrics.Definitions(), "manager": controllers.MetricDefinitions(),
		}),
	)
	if err != nil {
		fmt.Fprintf(os.Stderr, "docs: %v\n", err)
		os.Exit(1)
	}
}

func run(definitions, pages string) error {
	files, err := filepath.Glob(filepath.Join(definitions, "*.yaml"))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("no CRDs in %s: run `make manifests`", definitions)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		var crd apiextensionsv1.CustomResourceDefinition
		if err := yaml.UnmarshalStrict(data, &crd); err != nil {
			return fmt.Errorf("decode %s: %w", file, err)
		}
		page := filepath.Join(pages, crd.Spec.Names.Singular+".md")
		if err := rewrite(page, crd); err != nil {
			return err
		}
	}
	return nil
}

// rewrite replaces both tables of one page.
func rewrite(page string, crd apiextensionsv1.CustomResourceDefinition) error {
	data, err := os.ReadFile(page)
	if err != nil {
		return fmt.Errorf("%w: every kind needs a page", err)
	}
	text := string(data)
	schema := crd.Spec.Versions[0].Schema.OpenAPIV3Schema
	for _, part := range []string{"spec", "status"} {
		text, err = splice(text, part, table(schema.Properties[part]))
		if err != nil {
			return fmt.Errorf("%s: %w", page, err)
		}
	}
	if text == string(data) {
		return nil
	}
	return os.WriteFile(page, []byte(text), 0o644) //nolint:gosec // documentation is public
}

// splice puts the table between the part's markers.
func splice(text, part, table string) (string, error) {
	before, rest, found := strings.Cut(text, markerBegin(part))
	if !found {
		return "", fmt.Errorf("no line %q", markerBegin(part))
	}
	_, after, found := strings.Cut(rest, markerEnd)
	if !found {
		return "", fmt.Errorf("no line %q after %q", markerEnd, markerBegin(part))
	}
	return before + markerBegin(part) + "\n\n" + table + "\n" + markerEnd + after, nil
}
