package validate_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/postern-dev/postern/cli/clitest"
	"github.com/postern-dev/postern/cli/exit"
)

// TestFiles validates every manifest of testdata; only valid.yaml is valid.
func TestFiles(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no test data: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			want := exit.Failure
			if filepath.Base(file) == "valid.yaml" {
				want = exit.OK
			}
			got := clitest.Run(t, "validate", "-f", file)
			if got.Status != want || got.Stderr != "" {
				t.Errorf("status %d, standard error %q; want status %d", got.Status, got.Stderr, want)
			}
			clitest.Golden(t, strings.TrimSuffix(file, ".yaml")+".golden", got.Stdout)
		})
	}
}

// TestSamplesAreValid takes each sample by itself: some are alternatives.
func TestSamplesAreValid(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../config/samples/hooks_*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	for _, file := range files {
		if got := clitest.Run(t, "validate", "-f", file); got.Status != exit.OK {
			t.Errorf("the sample is refused:\n%s%s", got.Stdout, got.Stderr)
		}
	}
}

func TestForPrograms(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/providers.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got := clitest.RunInput(t, string(data), "validate", "-f", "-", "-n", "team", "-o", "json")
	var answer struct {
		Valid     bool
		Endpoints int
		Problems  []struct {
			File, Object, Field, Message string
			Line                         int
		}
	}
	if err := json.Unmarshal([]byte(got.Stdout), &answer); err != nil {
		t.Fatalf("%v: %s", err, got.Stdout)
	}
	if got.Status != exit.Failure || answer.Valid || len(answer.Problems) == 0 {
		t.Fatalf("status %d, answer %+v", got.Status, answer)
	}
	first := answer.Problems[0]
	if first.File != "-" || first.Line != 6 || first.Object != "WebhookEndpoint team/misspelt" ||
		first.Field != "spec.source.provider" || !strings.Contains(first.Message, "stripe") {
		t.Errorf("first problem is %+v", first)
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for name, line := range map[string][]string{
		"nothing":       {"validate"},
		"missing":       {"validate", "-f", filepath.Join(t.TempDir(), "missing.yaml")},
		"empty folder":  {"validate", "-f", t.TempDir()},
		"output format": {"validate", "-f", "testdata/valid.yaml", "-o", "yaml"},
	} {
		got := clitest.Run(t, line...)
		if got.Status != exit.Usage || got.Stdout != "" || got.Stderr == "" {
			t.Errorf("%s: status %d, output %q, standard error %q; want status 2", name, got.Status, got.Stdout, got.Stderr)
		}
	}
}
