package scenario_test

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/test/chaos/check"
	"github.com/postern-dev/postern/test/chaos/fault"
	"github.com/postern-dev/postern/test/chaos/mutant"
	"github.com/postern-dev/postern/test/chaos/scenario"
)

const guarantees = "../../../docs/guarantees.md"

func TestEveryFaultIsInAScenario(t *testing.T) {
	t.Parallel()
	used := map[*fault.Kind]bool{}
	for _, s := range scenario.All() {
		for _, choice := range s.Faults {
			used[choice.Kind] = true
		}
	}
	for _, kind := range fault.Kinds() {
		if !used[kind] {
			t.Errorf("no scenario has the fault %q", kind.Name)
		}
	}
}

func TestEveryMutantHasAScenario(t *testing.T) {
	t.Parallel()
	for _, m := range mutant.All() {
		s, length, err := scenario.OfMutant(&m)
		if err != nil || s.Name != m.Name || s.Topology == "" || length == 0 || len(s.Script) != len(m.Faults) || len(s.Faults) > 0 {
			t.Errorf("%s: %v, %+v for %s", m.Name, err, s, length)
		}
	}
}

// Faults, scenarios, invariants and mutants are listed for people, who shall find
// what there is.
func TestTheGuaranteesListWhatThereIs(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(guarantees)
	if err != nil {
		t.Fatal(err)
	}
	text := string(content)
	row := regexp.MustCompile(`(?m)^\| (F\d+) .*\| ([^|]*) \| [^|]* \|$`)
	listed := map[string]string{}
	for _, found := range row.FindAllStringSubmatch(text, -1) {
		listed[found[1]] = found[2]
	}
	if diff := cmp.Diff(scenariosByFault(), listed); diff != "" {
		t.Errorf("the scenarios of the faults differ (-there is +%s):\n%s", guarantees, diff)
	}
	for _, s := range scenario.All() {
		if !s.Named && !strings.Contains(text, "`"+s.Name+"`") {
			t.Errorf("the scenario %s is not in %s", s.Name, guarantees)
		}
	}
	for _, verdict := range check.Invariants() {
		if !strings.Contains(text, "\n| "+string(verdict)+" |") {
			t.Errorf("the invariant %s is not in %s", verdict, guarantees)
		}
	}
	for _, m := range mutant.All() {
		if !strings.Contains(text, "\n| `"+m.Name+"` | "+m.Why+" |") {
			t.Errorf("%s has no row\n| `%s` | %s |", guarantees, m.Name, m.Why)
		}
	}
	if count := fmt.Sprintf("%d known-bad builds", len(mutant.All())); !strings.Contains(text, count) {
		t.Errorf("%s does not say that there are %s", guarantees, count)
	}
}

// scenariosByFault has for each number of a fault the scenarios, as the table has them.
func scenariosByFault() map[string]string {
	names := map[string][]string{}
	for _, s := range scenario.All() {
		for _, choice := range s.Faults {
			number, _, _ := strings.Cut(choice.Kind.Name, " ")
			if name := "`" + s.Name + "`"; !s.Named && !slices.Contains(names[number], name) {
				names[number] = append(names[number], name)
			}
		}
	}
	listed := map[string]string{}
	for number, all := range maps.All(names) {
		listed[number] = strings.Join(all, ", ")
	}
	return listed
}
