package manifests_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/cli/manifests"
)

const endpoint = `apiVersion: hooks.postern.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: github}
spec:
  source: {provider: github}
  secretRef: {name: github-webhook}
  targets:
  - service: {name: builder, port: 80}
`

const secret = `apiVersion: v1
kind: Secret
metadata: {name: github-webhook}
data: {secret: b25l, previous: dHdv}
stringData: {secret: three}
`

func loadText(t *testing.T, text string, options manifests.Options) *manifests.Set {
	t.Helper()
	options.Stdin = strings.NewReader(text)
	set, err := manifests.Load([]string{manifests.Stdin}, options)
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Problems) > 0 {
		t.Fatalf("problems: %v", set.Problems)
	}
	return set
}

func TestLoadFillsDefaults(t *testing.T) {
	t.Parallel()
	set := loadText(t, endpoint+"---\n"+secret, manifests.Options{Namespace: "ci"})
	if len(set.Endpoints) != 1 {
		t.Fatalf("%d endpoints, want 1", len(set.Endpoints))
	}
	spec := set.Endpoints[0].Object.Spec
	if spec.Delivery != v1alpha1.DeliveryQueued || spec.MaxBodyBytes != 0 || spec.Targets[0].TimeoutSeconds != 15 {
		t.Errorf("the schema's defaults are missing: %+v", spec)
	}
	if got := set.Endpoints[0].Object.Namespace; got != "ci" {
		t.Errorf("namespace is %q, want the given default", got)
	}
	found := set.Secrets[types.NamespacedName{Namespace: "ci", Name: "github-webhook"}]
	if found == nil {
		t.Fatalf("secrets are %v, want ci/github-webhook", set.Secrets)
	}
	if string(found.Data["secret"]) != "three" || string(found.Data["previous"]) != "two" {
		t.Errorf("data is %q, want stringData to win over data", found.Data)
	}
}

func TestLoadReadsLists(t *testing.T) {
	t.Parallel()
	indent := func(text string) string {
		return "- " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n  ") + "\n"
	}
	set := loadText(t, "apiVersion: v1\nkind: List\nitems:\n"+indent(endpoint)+indent(secret), manifests.Options{})
	if len(set.Endpoints) != 1 || len(set.Secrets) != 1 {
		t.Fatalf("%d endpoints and %d secrets, want one of each", len(set.Endpoints), len(set.Secrets))
	}
	position := set.Endpoints[0].Position("spec.targets[0].service.port")
	if position.Line != 11 {
		t.Errorf("the port stands in line %d, want 11", position.Line)
	}
}

func TestLoadReadsJSON(t *testing.T) {
	t.Parallel()
	set := loadText(t, `{
  "apiVersion": "v1", "kind": "Secret",
  "metadata": {"name": "json"},
  "stringData": {"secret": "a"}
}`, manifests.Options{})
	if len(set.Secrets) != 1 {
		t.Errorf("secrets are %v, want one", set.Secrets)
	}
}

func TestPositions(t *testing.T) {
	t.Parallel()
	set := loadText(t, "# first\n---\n"+endpoint, manifests.Options{})
	for field, line := range map[string]int{
		"":                               3,
		"spec.source.provider":           7,
		"spec.secretRef":                 8,
		"spec.targets[0]":                10,
		"spec.targets[0].when":           10,
		"spec.targets[4]":                9,
		"spec.deduplication.key":         6,
		"metadata.name":                  5,
		"spec.source.options[webhookID]": 7,
	} {
		if got := set.Endpoints[0].Position(field).Line; got != line {
			t.Errorf("%q stands in line %d, want %d", field, got, line)
		}
	}
}

func TestFolders(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for name, text := range map[string]string{
		"endpoint.yaml":      endpoint,
		"deep/secret.yml":    secret,
		"values.yaml":        "replicas: 3\n",
		"README.md":          "not YAML: [",
		".hidden/other.yaml": "also: [not",
		".hidden.yaml":       "also: [not",
	} {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	set, err := manifests.Load([]string{folder}, manifests.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Problems) > 0 || len(set.Endpoints) != 1 || len(set.Secrets) != 1 {
		t.Errorf("found %d endpoints, %d secrets and problems %v, want 1, 1 and none",
			len(set.Endpoints), len(set.Secrets), set.Problems)
	}
	if len(set.Notes) != 1 || !strings.HasSuffix(set.Notes[0].File, "values.yaml") {
		t.Errorf("notes are %v, want one about values.yaml", set.Notes)
	}
	named, err := manifests.Load([]string{filepath.Join(folder, "values.yaml")}, manifests.Options{})
	if err != nil || len(named.Problems) != 1 {
		t.Errorf("problems of a named file are %v (%v), want one", named.Problems, err)
	}
}

func TestUnreadablePaths(t *testing.T) {
	t.Parallel()
	empty := t.TempDir()
	for path, want := range map[string]string{
		filepath.Join(empty, "missing.yaml"): "missing.yaml",
		empty:                                "has no file that ends in",
	} {
		_, err := manifests.Load([]string{path}, manifests.Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want one about %q", err, want)
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(endpoint + "---\n" + secret)
	f.Add("apiVersion: v1\nkind: List\nitems: [1, {a: &x [*x]}]\n")
	f.Add("--- # c\n{\"apiVersion\": \"v1\", \"kind\": \"Secret\", \"data\": {\"a\": null}}")
	f.Fuzz(func(t *testing.T, text string) {
		set, err := manifests.Load([]string{"-"}, manifests.Options{Stdin: strings.NewReader(text)})
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Count(text, "\n") + 1
		for _, problem := range set.Problems {
			if problem.Line < 1 || problem.Line > lines+1 || problem.Message == "" {
				t.Errorf("problem %+v is outside the file's %d lines or says nothing", problem, lines)
			}
		}
	})
}
