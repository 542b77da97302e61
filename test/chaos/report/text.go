package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/postern-dev/postern/test/chaos/check"
)

// violationsShown is how many violations of one invariant the summary has.
const violationsShown = 5

// Text writes the summary.
func Text(w io.Writer, result *check.Result) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	run := result.Run
	fmt.Fprintf(table, "%s: %s, seed %d, %v\n",
		headline(result), run.Scenario, run.Seed, result.Figures.Duration.Round(time.Second))
	if run.Mutant != "" {
		fmt.Fprintf(table, "This was the mutant %s, not the product.\n", run.Mutant)
	}
	if run.Command != "" {
		fmt.Fprintf(table, "Again: %s\n", run.Command)
	}
	fmt.Fprintln(table)
	for i := range result.Verdicts {
		verdict := &result.Verdicts[i]
		fmt.Fprintf(table, "%s\t%s\t%s\t%d judged\n", verdict.Invariant, word(verdict), verdict.Title, verdict.Checked)
	}
	fmt.Fprintln(table)
	for _, line := range figures(&result.Figures) {
		fmt.Fprintf(table, "%s\t%s\n", line.name, line.value)
	}
	for i := range result.Verdicts {
		violations(table, &result.Verdicts[i])
	}
	return table.Flush()
}

func violations(w io.Writer, verdict *check.Verdict) {
	if verdict.OK() {
		return
	}
	fmt.Fprintf(w, "\n%s: %d violations\n", verdict.Invariant, verdict.Count)
	for _, violation := range verdict.Violations[:min(len(verdict.Violations), violationsShown)] {
		words := strings.Fields(violation.ID + " " + violation.Target)
		fmt.Fprintf(w, "  %s: %s\n", strings.Join(words, " "), violation.Message)
	}
}

func headline(result *check.Result) string {
	if result.OK() {
		return "PASS"
	}
	return "FAIL"
}

// word is the verdict in a word. One over nothing is none.
func word(verdict *check.Verdict) string {
	switch {
	case !verdict.OK():
		return "violated"
	case verdict.Checked == 0:
		return "not judged"
	default:
		return "holds"
	}
}

// line is one figure.
type line struct{ name, value string }

func figures(f *check.Figures) []line {
	lines := []line{
		{"events", fmt.Sprintf("%d, %d acknowledged, %d lost, %d of unknown fate, %d deliveries, %d dead letters",
			f.Events, f.Acknowledged, f.Lost, f.Unknown, f.Delivered, f.Dead)},
		{"duplicates", fmt.Sprintf("%d inside fault windows, %d outside", f.Repeated-f.Outside, f.Outside)},
		{"requests", fmt.Sprintf("%d, %d of them forged: %s", f.Requests, f.Forged, tally(f.Answers))},
		{"attempts", fmt.Sprintf("%d, %d failed", f.Received, f.Failed)},
		{"acknowledged after", times(f.Acks)},
		{"delivered after", times(f.Ages)},
		{"faults", fmt.Sprint(f.Injected)},
		{"recovery", fmt.Sprintf("%s; all of it tried again after %s; %d faults overtaken by a next one",
			recovery(f.Recovery), times(f.Tried), f.Overtaken)},
	}
	for _, kind := range slices.Sorted(maps.Keys(f.Faults)) {
		fault := f.Faults[kind]
		told := fmt.Sprintf("%d, %s", fault.Count, recovery(fault.Recovery))
		lines = append(lines, line{"  " + kind, told})
	}
	for _, process := range slices.Sorted(maps.Keys(f.Peaks)) {
		values := make([]string, 0, len(f.Peaks[process]))
		for _, name := range slices.Sorted(maps.Keys(f.Peaks[process])) {
			values = append(values, fmt.Sprintf("%s %.0f", name, f.Peaks[process][name]))
		}
		lines = append(lines, line{"peak of " + process, strings.Join(values, ", ")})
	}
	return lines
}

func recovery(t check.Times) string {
	if t.Count == 0 {
		return "no backlog at the end"
	}
	return fmt.Sprintf("first of a backlog delivered after %s (%d backlogs)", times(t), t.Count)
}

func tally(counts map[string]int) string {
	parts := make([]string, 0, len(counts))
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[name], name))
	}
	return strings.Join(parts, ", ")
}

func times(t check.Times) string {
	if t.Count == 0 {
		return "never"
	}
	return fmt.Sprintf("p50 %v, p99 %v, at most %v", short(t.P50), short(t.P99), short(t.Max))
}

// short rounds to three digits or so.
func short(d time.Duration) time.Duration {
	switch {
	case d >= 10*time.Second:
		return d.Round(100 * time.Millisecond)
	case d >= time.Second:
		return d.Round(10 * time.Millisecond)
	case d >= time.Millisecond:
		return d.Round(10 * time.Microsecond)
	default:
		return d
	}
}
