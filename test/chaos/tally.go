package main

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/postern-dev/postern/test/chaos/check"
	"github.com/postern-dev/postern/test/chaos/report"
	"github.com/postern-dev/postern/test/chaos/scenario"
)

// tally sums up scenarios.
type tally struct {
	acked, injected, lost, outside int
	broken                         []*scenario.Outcome
	skipped                        map[string]string
}

// play runs one scenario and prints how it went.
func (t *tally) play(
	ctx context.Context, setup *scenario.Setup, s *scenario.Scenario, seed uint64, length time.Duration,
) error {
	fmt.Printf("%-10s seed %-6d %6s  %s\n", s.Name, seed, length.Round(time.Second), s.About)
	begun := time.Now()
	outcome, err := setup.Run(ctx, s, seed, length)
	if err != nil {
		return err
	}
	figures := outcome.Result.Figures
	t.acked += figures.Acknowledged
	t.injected += figures.Injected
	t.lost += figures.Lost
	t.outside += figures.Outside
	word := "holds"
	if !outcome.OK() {
		word = "BROKEN"
		t.broken = append(t.broken, outcome)
	}
	fmt.Printf("%-10s %s after %s: %d events acknowledged, %d faults, %d lost, %d repeated, %d of them unexplained%s\n",
		"", word, time.Since(begun).Round(time.Second), figures.Acknowledged, figures.Injected, figures.Lost,
		figures.Repeated, figures.Outside, recovered(figures.Recovery))
	explain(outcome)
	if t.skipped == nil {
		t.skipped = map[string]string{}
	}
	maps.Copy(t.skipped, outcome.Skipped)
	return nil
}

// recovered tells how soon backlogs began to drain.
func recovered(after check.Times) string {
	if after.Count == 0 {
		return ""
	}
	return fmt.Sprintf("; backlogs of %d faults drained after %s, at most %s",
		after.Count, after.P50.Round(time.Millisecond), after.Max.Round(time.Millisecond))
}

// explain prints what is wrong.
func explain(outcome *scenario.Outcome) {
	for _, problem := range outcome.Problems {
		fmt.Printf("%-10s ! %v\n", "", problem)
	}
	for _, verdict := range outcome.Result.Verdicts {
		if verdict.OK() {
			continue
		}
		fmt.Printf("%-10s ! %s, %s: %d violations\n", "", verdict.Invariant, verdict.Title, verdict.Count)
		for _, violation := range verdict.Violations[:min(3, len(verdict.Violations))] {
			fmt.Printf("%-10s     %s %s: %s\n", "", violation.ID, violation.Target, violation.Message)
		}
	}
}

// conclude prints the sums, and fails when anything is broken.
func (t *tally) conclude(setup *scenario.Setup) error {
	for _, name := range slices.Sorted(maps.Keys(t.skipped)) {
		fmt.Printf("skipped %s: %s\n", name, t.skipped[name])
	}
	fmt.Printf("\n%d events acknowledged, %d faults injected, %d lost, %d duplicates that no fault explains\n",
		t.acked, t.injected, t.lost, t.outside)
	fmt.Printf("reports: %s\n", filepath.Join(setup.Folder, "*", report.HTMLFile))
	fmt.Printf("again:   %s\n", setup.Command)
	if len(t.broken) == 0 {
		return nil
	}
	var names []string
	for _, outcome := range t.broken {
		names = append(names, outcome.Scenario.Name)
	}
	return fmt.Errorf("%w in %s", errBroken, strings.Join(names, ", "))
}
