package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

const thing = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.test}
spec:
  group: example.test
  scope: Namespaced
  names: {kind: Thing, plural: things, singular: thing}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [name]
            properties:
              name: {type: string, description: "name is what\n  it is; a | b"}
              mode: {type: string, default: Slow, enum: [Slow, Fast]}
              count: {type: integer, minimum: 1, maximum: 9}
              options: {type: object, additionalProperties: {type: string}}
              port: {x-kubernetes-int-or-string: true}
              resources: {type: object, properties: {hidden: {type: string}}}
              items:
                type: array
                maxItems: 4
                items: {type: object, properties: {inner: {type: string}}}
          status: {type: object}
`

func TestRunWritesTheTables(t *testing.T) {
	t.Parallel()
	definitions, pages := t.TempDir(), t.TempDir()
	page := filepath.Join(pages, "thing.md")
	write(t, filepath.Join(definitions, "thing.yaml"), thing)
	write(t, page, "# Thing\n\n"+markerBegin("spec")+"\nstale\n"+markerEnd+
		"\n\nBy hand.\n\n"+markerBegin("status")+"\n"+markerEnd+"\nEnd.\n")
	if err := run(definitions, pages); err != nil {
		t.Fatal(err)
	}
	first := read(t, page)
	for _, want := range []string{
		"# Thing", "By hand.", "End.",
		`| ` + "`name`" + ` | string | *required* | what it is; a \| b |`,
		"| `mode` | string | `Slow` |  (`Slow`, `Fast`) |",
		"| `count` | integer |  |  (1 to 9) |",
		"| `options` | map of strings |",
		"| `port` | integer or string |",
		"| `resources` | ResourceRequirements |",
		"| `items` | []object |  |  (at most 4) |",
		"| `items[].inner` | string |",
	} {
		if !strings.Contains(first, want) {
			t.Errorf("page lacks %q:\n%s", want, first)
		}
	}
	for _, forbidden := range []string{"stale", "hidden"} {
		if strings.Contains(first, forbidden) {
			t.Errorf("page has %q:\n%s", forbidden, first)
		}
	}
	if err := run(definitions, pages); err != nil {
		t.Fatal(err)
	}
	if second := read(t, page); second != first {
		t.Errorf("a second run changed the page:\n%s", second)
	}
}

func TestRunRefusals(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		page string // empty: no page
		want string
	}{
		"no page":   {"", "every kind needs a page"},
		"no marker": {"# Thing\n", `no line "<!-- generated fields: spec -->"`},
		"no end":    {markerBegin("spec") + "\n", "no line \"" + markerEnd},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			definitions, pages := t.TempDir(), t.TempDir()
			write(t, filepath.Join(definitions, "thing.yaml"), thing)
			if c.page != "" {
				write(t, filepath.Join(pages, "thing.md"), c.page)
			}
			err := run(definitions, pages)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error = %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestQuantityIsNotAnyNumberOrString(t *testing.T) {
	t.Parallel()
	quantity := apiextensionsv1.JSONSchemaProps{XIntOrString: true, Pattern: "^[0-9]+$"}
	if got := typeOf("size", quantity); got != "quantity" {
		t.Errorf("type = %q, want quantity", got)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
