package check_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/test/chaos/check"
	"github.com/postern-dev/postern/test/chaos/history"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const (
	casesFolder = "testdata"
	golden      = "violations.golden"
	// innocent begins the names of histories with which nothing is wrong.
	innocent = "true-"
)

// Every folder of testdata is cut from a run that was recorded. The name of one
// that must be refused begins with the invariant that it violates; those of
// true- looked wrong to the checker once, or nearly.
func TestRecordedHistories(t *testing.T) {
	t.Parallel()
	folders, err := os.ReadDir(casesFolder)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, folder := range folders {
		prefix, _, _ := strings.Cut(folder.Name(), "-")
		seen[prefix]++
		t.Run(folder.Name(), func(t *testing.T) {
			t.Parallel()
			result, err := check.Check(history.Read(filepath.Join(casesFolder, folder.Name())))
			if err != nil {
				t.Fatal(err)
			}
			verdict := result.Verdict(check.Invariant(prefix))
			switch {
			case strings.HasPrefix(folder.Name(), innocent) && !result.OK():
				t.Error("what happened was right")
			case !strings.HasPrefix(folder.Name(), innocent) && (verdict == nil || verdict.OK()):
				t.Errorf("%s is not violated", prefix)
			}
			compare(t, filepath.Join(casesFolder, folder.Name(), golden), tell(result))
		})
	}
	for _, verdict := range healthy().judge(t, "", "").Verdicts {
		if seen[string(verdict.Invariant)] == 0 {
			t.Errorf("no recorded history violates %s", verdict.Invariant)
		}
	}
	if seen[strings.TrimSuffix(innocent, "-")] == 0 {
		t.Error("no recorded history is true")
	}
}

// tell writes violations down, one a line.
func tell(result *check.Result) string {
	var b strings.Builder
	for _, verdict := range result.Verdicts {
		for _, v := range verdict.Violations {
			fmt.Fprintf(&b, "%s %s %s: %s\n", verdict.Invariant, v.ID, v.Target, v.Message)
		}
	}
	return b.String()
}

func compare(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs; if that is meant, run with -update (-want +got):\n%s", path, diff)
	}
}
