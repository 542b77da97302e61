package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/postern-dev/postern/test/chaos/mutant"
	"github.com/postern-dev/postern/test/chaos/scenario"
)

// judged is a mutant and what became of it.
type judged struct {
	mutant  *mutant.Mutant
	program string
	err     error
}

// hunt builds and runs mutants, and fails when one of them passes. With
// -innocent it runs the product in their place, which must pass.
func (o *options) hunt(ctx context.Context, setup *scenario.Setup, mutants []mutant.Mutant) error {
	var passed []string
	for built := range o.build(ctx, mutants) {
		wrong, err := o.rounded(ctx, setup, built)
		if err != nil {
			return err
		}
		if wrong {
			passed = append(passed, built.mutant.Name)
		}
	}
	names := strings.Join(passed, ", ")
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case len(passed) > 0 && o.innocent:
		return fmt.Errorf("%w in the scenarios of %s", errBroken, names)
	case len(passed) > 0:
		return fmt.Errorf("the checker is blind: it lets pass %s", names)
	case o.innocent:
		fmt.Printf("the product holds in the scenarios of all %d mutants\n", len(mutants))
	default:
		fmt.Printf("all %d mutants are caught\n", len(mutants))
	}
	return nil
}

// build builds mutants, each while the one before runs.
func (o *options) build(ctx context.Context, mutants []mutant.Mutant) <-chan judged {
	built := make(chan judged)
	go func() {
		defer close(built)
		for i := range mutants {
			program, err := o.postern, error(nil)
			if !o.innocent {
				program = filepath.Join(o.out, "mutant-"+mutants[i].Name)
				err = mutants[i].Build(ctx, o.sources, program)
			}
			select {
			case built <- judged{mutant: &mutants[i], program: program, err: err}:
			case <-ctx.Done():
				return
			}
		}
	}()
	return built
}

// rounded runs one mutant with one seed after the other, and tells whether it
// passed with any; the product must pass with all.
func (o *options) rounded(ctx context.Context, setup *scenario.Setup, built judged) (wrong bool, err error) {
	if built.err != nil {
		return false, built.err
	}
	for round := range max(o.rounds, 1) {
		ok, err := o.judge(ctx, setup, built, o.seed+uint64(round))
		if err != nil {
			return false, err
		}
		wrong = wrong || !ok
	}
	if !o.innocent {
		_ = os.Remove(built.program) // it is large, and only the history matters
	}
	return wrong, nil
}

// judge runs one mutant once and prints whether it was caught; ok is that, and
// for the product that it holds.
func (o *options) judge(ctx context.Context, setup *scenario.Setup, built judged, seed uint64) (ok bool, err error) {
	s, length, err := scenario.OfMutant(built.mutant)
	if err != nil {
		return false, err
	}
	own := *setup
	own.Postern, own.Mutant, own.Folder = built.program, built.mutant.Name, filepath.Join(setup.Folder, "mutants")
	if o.innocent {
		s.StoreArgs = nil // the product refuses a store with the mutant's settings
		own.Mutant = ""
	}
	begun := time.Now()
	outcome, err := own.Run(ctx, s, seed, length)
	if err != nil {
		return false, err
	}
	signs, missed := scenario.Caught(built.mutant, outcome), scenario.Missed(built.mutant, outcome)
	ok = len(signs) > 0 && len(missed) == 0
	word := "passes"
	switch {
	case o.innocent:
		ok = outcome.OK() && len(missed) == 0
		word = map[bool]string{true: "holds", false: "BROKEN"}[ok]
	case ok:
		word = "caught"
	}
	fmt.Printf("mutant %-20s seed %-3d %s after %s by %s: %s\n", built.mutant.Name, seed, word,
		time.Since(begun).Round(time.Second), told(signs), built.mutant.Why)
	if !ok {
		explain(outcome)
	}
	for _, name := range missed {
		fmt.Printf("       %-20s did not happen: %q %s\n", "", name, outcome.Skipped[name])
	}
	return ok, nil
}

// told names the invariants of signs.
func told(signs []mutant.Sign) string {
	names := []string{}
	for _, sign := range signs {
		if name := string(sign.Invariant); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, " ")
}

// chosen returns the mutants of a list of names with commas, all for "all".
func chosen(names string) ([]mutant.Mutant, error) {
	if names == "" || names == "all" {
		return mutant.All(), nil
	}
	var found []mutant.Mutant
	for name := range strings.SplitSeq(names, ",") {
		m, ok := mutant.Find(name)
		if !ok {
			return nil, fmt.Errorf("no mutant is called %q", name)
		}
		found = append(found, *m)
	}
	return found, nil
}
