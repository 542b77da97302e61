package trim_test

import (
	"strings"
	"testing"

	"github.com/postern-dev/postern/test/chaos/check"
	"github.com/postern-dev/postern/test/chaos/trim"
)

// recorded has a lost event, e-21, a repeated one that nothing explains, e-50,
// and one that a kill explains, e-22.
const recorded = "../report/testdata/history"

func TestCut(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		what     trim.What
		violated []check.Invariant
		kept     string
	}{
		{"an invariant", trim.What{Invariant: check.Durability}, []check.Invariant{check.Durability}, "e-21"},
		{"an event", trim.What{Events: []string{"e-50"}}, []check.Invariant{check.Duplicates}, "e-50"},
		{"all that is wrong", trim.What{}, []check.Invariant{check.Durability, check.Duplicates}, "e-21 e-50"},
		{"an event with which nothing is wrong", trim.What{Events: []string{"e-22"}}, nil, "e-22"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			records, result, err := trim.Cut(recorded, test.what)
			if err != nil {
				t.Fatal(err)
			}
			var violated []check.Invariant
			for _, verdict := range result.Verdicts {
				if !verdict.OK() {
					violated = append(violated, verdict.Invariant)
				}
			}
			if got, want := strings.Join(words(violated), " "), strings.Join(words(test.violated), " "); got != want {
				t.Errorf("what is left violates %q, want %q", got, want)
			}
			seen := map[string]bool{}
			for _, record := range records {
				seen[record.Sender()] = true
			}
			delete(seen, "")
			for id := range strings.SplitSeq(test.kept, " ") {
				if !seen[id] {
					t.Errorf("%s is not left", id)
				}
				delete(seen, id)
			}
			if len(seen) > 0 || len(records) > 20 {
				t.Errorf("%d records are left, with %v beside what matters", len(records), seen)
			}
		})
	}
}

func words(invariants []check.Invariant) []string {
	all := make([]string, 0, len(invariants))
	for _, invariant := range invariants {
		all = append(all, string(invariant))
	}
	return all
}

// The kill explains that e-22 came twice: without it the case would say another thing.
func TestFaultsOfTheTimeAreKept(t *testing.T) {
	t.Parallel()
	records, _, err := trim.Cut(recorded, trim.What{Events: []string{"e-22"}})
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, record := range records {
		if record.Fault != nil {
			kinds = append(kinds, record.Fault.Kind)
		}
	}
	if got := strings.Join(kinds, " "); got != "kill kill" {
		t.Errorf("the faults left are %q, want begin and end of the kill", got)
	}
}

func TestNoCut(t *testing.T) {
	t.Parallel()
	if _, _, err := trim.Cut(t.TempDir(), trim.What{}); err == nil {
		t.Error("an empty folder has no error")
	}
	if _, _, err := trim.Cut(recorded, trim.What{Events: []string{"e-none"}}); err == nil {
		t.Error("an event that there is not has no error")
	}
}
