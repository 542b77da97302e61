package chart_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestGolden(t *testing.T) {
	t.Parallel()
	for name, file := range valueFiles(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := withoutSchemas(render(t, "--values", file))
			golden := filepath.Join("testdata/golden", name+".yaml")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatalf("%v: run the test with -update", err)
			}
			if got != string(want) {
				t.Errorf("the render of %s differs from %s: run with -update and read the diff\n%s",
					file, golden, firstDifference(got, string(want)))
			}
		})
	}
}

// withoutSchemas keeps the metadata of CRDs and of dashboards: the rest of them
// is in files of their own.
func withoutSchemas(manifests string) string {
	documents := strings.Split(manifests, "\n---\n")
	for i, document := range documents {
		for kind, content := range map[string]string{"CustomResourceDefinition": "spec", "ConfigMap": "data"} {
			if strings.Contains(document, "\nkind: "+kind+"\n") {
				documents[i], _, _ = strings.Cut(document, "\n"+content+":\n")
			}
		}
	}
	return strings.Join(documents, "\n---\n")
}

func firstDifference(got, want string) string {
	gotLines, wantLines := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(gotLines), len(wantLines)) {
		if gotLines[i] != wantLines[i] {
			return "got  " + gotLines[i] + "\nwant " + wantLines[i]
		}
	}
	return "one is longer"
}

func TestLint(t *testing.T) {
	t.Parallel()
	for name, file := range valueFiles(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if out, err := run(t, "", "lint", "--strict", "--values", file, chart); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
