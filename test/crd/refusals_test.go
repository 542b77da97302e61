package crd_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/postern-dev/postern/config/crd"
)

// refusals is a file of testdata/refusals.
type refusals struct {
	Kind  string `json:"kind"`
	Cases []struct {
		// Was is what the spec was before, for rules about changes.
		Was     map[string]any `json:"was"`
		Spec    map[string]any `json:"spec"`
		Refused string         `json:"refused"`
	} `json:"cases"`
}

// TestRefusals has every rule of the schemas refuse something, for that rule
// alone and with the words that tell what to write instead.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, content := range readRefusals(t) {
		for i, c := range content.Cases {
			t.Run(fmt.Sprintf("%s/%d", name, i), func(t *testing.T) {
				t.Parallel()
				if c.Was != nil {
					refusedChange(t, content.Kind, c.Was, c.Spec, c.Refused)
					return
				}
				refused(t, content.Kind, c.Spec, c.Refused)
			})
		}
	}
}

// readRefusals returns the files by name.
func readRefusals(t *testing.T) map[string]refusals {
	t.Helper()
	files, err := filepath.Glob("testdata/refusals/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("found no cases: %v", err)
	}
	read := map[string]refusals{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var content refusals
		if err := yaml.UnmarshalStrict(data, &content); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		read[strings.TrimSuffix(filepath.Base(file), ".yaml")] = content
	}
	return read
}

func refused(t *testing.T, kind string, spec map[string]any, want string) {
	t.Helper()
	err := create(t, object(t, kind, spec))
	if err == nil {
		t.Fatalf("%v is accepted; want %q", spec, want)
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("%v is refused with\n%v\nwant %q", spec, err, want)
	}
	if causes := causes(err); len(causes) > 1 {
		t.Errorf("%v is refused for more than one reason: %q", spec, causes)
	}
}

func refusedChange(t *testing.T, kind string, was, spec map[string]any, want string) {
	t.Helper()
	existing, changed := object(t, kind, was), object(t, kind, spec)
	existing.SetName("changing")
	if err := api.Create(t.Context(), existing); err != nil {
		t.Fatal(err)
	}
	existing.Object["spec"] = changed.Object["spec"]
	if err := api.Update(t.Context(), existing); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("changing %v to %v: %v, want %q", was, spec, err, want)
	}
}

// TestEveryRuleHasARefusal walks the schemas, so that no rule goes untested.
func TestEveryRuleHasARefusal(t *testing.T) {
	t.Parallel()
	var wanted []string
	for _, content := range readRefusals(t) {
		for _, c := range content.Cases {
			wanted = append(wanted, c.Refused)
		}
	}
	definitions, err := fs.Glob(crd.Bases, "bases/*.yaml")
	if err != nil || len(definitions) == 0 {
		t.Fatalf("found no definitions: %v", err)
	}
	for _, name := range definitions {
		data, err := crd.Bases.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, message := range messages(parse(t, string(data))) {
			if !slices.ContainsFunc(wanted, func(text string) bool { return strings.Contains(message, text) }) {
				t.Errorf("%s: nothing is refused with %q", name, message)
			}
		}
	}
}

// messages lists the messages of all rules within a schema.
func messages(schema any) []string {
	var found []string
	switch node := schema.(type) {
	case map[string]any:
		if message, ok := node["message"].(string); ok && node["rule"] != nil {
			found = append(found, message)
		}
		for _, child := range node {
			found = append(found, messages(child)...)
		}
	case []any:
		for _, child := range node {
			found = append(found, messages(child)...)
		}
	}
	return found
}
