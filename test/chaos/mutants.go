package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
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
		caught, err := o.judge(ctx, setup, built)
		if err != nil {
			return err
		}
		if caught == o.innocent {
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

// judge runs one mutant and prints whether it was caught.
func (o *options) judge(ctx context.Context, setup *scenario.Setup, built judged) (bool, error) {
	if built.err != nil {
		return false, built.err
	}
	s, length, err := scenario.OfMutant(built.mutant)
	if err != nil {
		return false, err
	}
	if o.innocent {
		s.StoreArgs = nil // the product refuses a store with the mutant's settings
	}
	own := *setup
	own.Postern, own.Mutant, own.Folder = built.program, built.mutant.Name, filepath.Join(setup.Folder, "mutants")
	begun := time.Now()
	outcome, err := own.Run(ctx, s, o.seed, length)
	if err != nil {
		return false, err
	}
	if !o.innocent {
		_ = os.Remove(built.program) // it is large, and only the history matters
	}
	caught, word := scenario.Caught(built.mutant, outcome), "passes"
	if caught {
		word = "caught"
	}
	fmt.Printf("mutant %-20s %s after %s by %s: %s\n", built.mutant.Name, word, time.Since(begun).Round(time.Second),
		strings.Join(broken(outcome), " "), built.mutant.Why)
	for name, why := range outcome.Skipped {
		fmt.Printf("       %-20s needs %q: %s\n", "", name, why)
	}
	return caught, nil
}

// broken names the invariants that do not hold.
func broken(outcome *scenario.Outcome) []string {
	names := []string{}
	for _, verdict := range outcome.Result.Verdicts {
		if !verdict.OK() {
			names = append(names, string(verdict.Invariant))
		}
	}
	if len(names) == 0 {
		names = []string{"nothing"}
	}
	return names
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
