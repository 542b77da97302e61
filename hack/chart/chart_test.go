package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCommittedFilesAreCurrent is what `make verify` says, without git.
func TestCommittedFilesAreCurrent(t *testing.T) {
	t.Chdir("../..")
	files := []string{chart + "/templates/_rules.tpl", chart + "/values.schema.json", chart + "/README.md"}
	crds, err := filepath.Glob(chart + "/templates/crds/*.yaml")
	if err != nil || len(crds) != 3 {
		t.Fatalf("%d CRDs: %v", len(crds), err)
	}
	files = append(files, crds...)
	committed := map[string][]byte{}
	for _, file := range files {
		if committed[file], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	if err := run(); err != nil {
		t.Fatal(err)
	}
	for file, before := range committed {
		after, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(before, after) {
			t.Errorf("%s was not current: run `make chart`", file)
			if err := os.WriteFile(file, before, 0o600); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestCRDTemplateKeepsTheText(t *testing.T) {
	t.Parallel()
	template, err := crdTemplate("---\nkind: X\nmetadata:\n  annotations:\n    a: b\nspec: {maximum: 9223372036854775807, text: '{{x}}'}\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"9223372036854775807", `'{{ "{{" }}x}}'`, "    a: b\n", "helm.sh/resource-policy: keep"} {
		if !strings.Contains(template, want) {
			t.Errorf("the template lacks %q:\n%s", want, template)
		}
	}
	if _, err := crdTemplate("kind: X\nmetadata: {}\n"); err == nil {
		t.Error("a CRD without annotations was taken")
	}
}

func TestRulesTemplateWantsBothRoles(t *testing.T) {
	t.Parallel()
	const rule = "rules: [{apiGroups: [apps], resources: [deployments], verbs: [get]}]\n"
	for name, roles := range map[string]string{
		"no Role":          "kind: ClusterRole\n" + rule,
		"two ClusterRoles": "kind: ClusterRole\n" + rule + "---\nkind: ClusterRole\n" + rule,
		"another kind":     "kind: Pod\n",
	} {
		if _, err := rulesTemplate([]byte(roles)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	out, err := rulesTemplate([]byte("---\nkind: ClusterRole\n" + rule + "---\nkind: Role\n" + rule))
	if err != nil || !bytes.Contains(out, []byte("postern.tenantRules")) || !bytes.Contains(out, []byte("- deployments")) {
		t.Errorf("%v:\n%s", err, out)
	}
}

func TestSchemaLetsValuesBeUnset(t *testing.T) {
	t.Parallel()
	base := "properties: {receiver: {properties: {enabled: {type: boolean}}}}"
	crd := `
spec:
  versions:
  - schema:
      openAPIV3Schema:
        properties:
          spec:
            properties:
              level: {type: string, enum: [Info], default: Info, minLength: 1, description: "two\nlines"}
              size: {x-kubernetes-int-or-string: true, pattern: "^[0-9]+$", anyOf: [{type: integer}, {type: string}]}
              store: {type: object, required: [name], properties: {name: {type: string}}}
              affinity: {type: object, required: [a], properties: {a: {type: string, description: gone}}}
`
	data, err := valuesSchema([]byte(base), []byte(crd))
	if err != nil {
		t.Fatal(err)
	}
	var schema object
	if err := json.Unmarshal(data, &schema); err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(schema["properties"].(object)["receiver"].(object)["properties"])
	if err != nil {
		t.Fatal(err)
	}
	want := `{"affinity":{"additionalProperties":false,"properties":{"a":{"type":"string"}},"required":["a"],` +
		`"type":["object","null"]},"enabled":{"type":"boolean"},` +
		`"level":{"description":"two lines","enum":["Info","",null],"type":["string","null"]},` +
		`"size":{"pattern":"^$|^[0-9]+$","type":["integer","string","null"]},` +
		`"store":{"additionalProperties":false,"properties":{"name":{"type":["string","null"]}},"type":["object","null"]}}`
	if string(got) != want {
		t.Errorf("the schema is\n%s\nwant\n%s", got, want)
	}
	for name, broken := range map[string][2]string{
		"no receiver": {"properties: {}", crd}, "no version": {base, "spec: {}"}, "no YAML": {"{", crd},
	} {
		if _, err := valuesSchema([]byte(broken[0]), []byte(broken[1])); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestEveryValueNeedsAComment(t *testing.T) {
	t.Parallel()
	table, err := valuesTable([]byte("# -- One or\n# two | three\na: [1]\nb:\n  # -- Inner\n  c: x\n"))
	want := "| value | default | meaning |\n|---|---|---|\n| `a` | `[1]` | One or two \\| three |\n| `b.c` | `\"x\"` | Inner |\n"
	if err != nil || table != want {
		t.Errorf("%v:\n%s\nwant\n%s", err, table, want)
	}
	for _, values := range []string{"a: 1\n", "# no dashes\na: {}\n", "# -- Outer\na: 1\nb:\n  c: 1\n"} {
		if _, err := valuesTable([]byte(values)); err == nil {
			t.Errorf("%q: no error", values)
		}
	}
}

func TestSpliceNeedsBothMarkers(t *testing.T) {
	t.Parallel()
	page, err := splice("a\n"+markerBegin+"\nold\n"+markerEnd+"\nz\n", "new\n")
	if want := "a\n" + markerBegin + "\n\nnew\n\n" + markerEnd + "\nz\n"; err != nil || page != want {
		t.Errorf("%v: %q, want %q", err, page, want)
	}
	for _, text := range []string{"", markerBegin, markerEnd} {
		if _, err := splice(text, "new"); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}
