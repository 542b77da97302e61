package docs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDependencies wants a line for every module that the operator requires.
func TestDependencies(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join(root, "docs", "dependencies.md"))
	if err != nil {
		t.Fatal(err)
	}
	module, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	direct := 0
	for line := range strings.Lines(string(module)) {
		fields := strings.Fields(line)
		if len(fields) != 2 || !strings.HasPrefix(line, "\t") {
			continue // not a requirement, or an indirect one
		}
		direct++
		if !strings.Contains(string(page), "\n| `"+fields[0]+"` | ") {
			t.Errorf("docs/dependencies.md does not say what %s is for", fields[0])
		}
	}
	if direct == 0 {
		t.Error("go.mod has no requirements: the test does not read it right")
	}
}
