package report_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/test/chaos/report"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// The history in testdata has one lost event, one duplicate that a kill
// excuses and one that nothing excuses.
func TestReportsAreAsInTheGoldenFiles(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS("testdata/history")); err != nil {
		t.Fatal(err)
	}
	result, err := report.Write(folder)
	if err != nil {
		t.Fatal(err)
	}
	if result.OK() || result.Figures.Lost != 1 || result.Figures.Outside != 1 {
		t.Errorf("%d lost and %d duplicates outside, want one of each", result.Figures.Lost, result.Figures.Outside)
	}
	for _, name := range []string{report.TextFile, report.HTMLFile} {
		got, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", name+".golden")
		if *update {
			if err := os.WriteFile(golden, got, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s differs from the golden file; if that is meant, run with -update (-want +got):\n%s", name, diff)
		}
		if strings.Contains(string(got), "http") {
			t.Errorf("%s refers to something outside of itself", name)
		}
	}
}

func TestAFolderWithoutAHistory(t *testing.T) {
	t.Parallel()
	if _, err := report.Write(t.TempDir()); err == nil {
		t.Error("no error")
	}
}
