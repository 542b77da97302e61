package fault

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Choice is a kind and how often it is chosen, relative to the others of its lane.
type Choice struct {
	Kind   *Kind
	Weight float64
}

// Step is one fault of a plan.
type Step struct {
	// At is when it is due, from the beginning of the plan.
	At   time.Duration
	Kind *Kind
	Seed uint64
	// Must steps happen even when the time is over.
	Must bool
}

// Plan chooses count faults for a time by a seed: the first of each kind come
// first, so that a short plan has one of each, then they come by their weights.
func Plan(seed uint64, length time.Duration, count int, choices []Choice) []Step {
	chance := rand.New(rand.NewPCG(seed, 2))
	if len(choices) == 0 {
		return nil
	}
	steps := make([]Step, 0, count)
	order := chance.Perm(len(choices))
	gap := length / time.Duration(max(count, 1))
	for n := range count {
		kind := pick(chance.Float64(), choices)
		if n < len(order) {
			kind = choices[order[n]].Kind
		}
		at := time.Duration(n)*gap + time.Duration(chance.Float64()*float64(gap))
		steps = append(steps, Step{At: at, Kind: kind, Seed: chance.Uint64()})
	}
	return steps
}

// Script is the plan of a run that needs certain faults: they happen in their
// order and in turns, and the first turn to its end.
func Script(seed uint64, length time.Duration, count int, kinds []*Kind) []Step {
	if len(kinds) == 0 {
		return nil
	}
	chance := rand.New(rand.NewPCG(seed, 2))
	count = max(count, len(kinds))
	gap := length / time.Duration(count)
	steps := make([]Step, 0, count)
	for n := range count {
		steps = append(steps, Step{
			// The first one meets traffic that flows.
			At: time.Duration(n)*gap + gap/2, Kind: kinds[n%len(kinds)], Seed: chance.Uint64(), Must: n < len(kinds),
		})
	}
	return steps
}

func pick(random float64, choices []Choice) *Kind {
	var total float64
	for _, choice := range choices {
		total += choice.Weight
	}
	left := random * total
	for _, choice := range choices {
		if left -= choice.Weight; left < 0 {
			return choice.Kind
		}
	}
	return choices[len(choices)-1].Kind
}

// Able splits choices into those that can be injected here and, by name, the
// reasons why others cannot.
func (e *Env) Able(choices []Choice) (able []Choice, skipped map[string]string) {
	skipped = map[string]string{}
	for _, choice := range choices {
		reason := ""
		if choice.Kind.Needs != nil {
			reason = choice.Kind.Needs(e)
		}
		if reason != "" {
			skipped[choice.Kind.Name] = reason
			continue
		}
		able = append(able, choice)
	}
	return able, skipped
}

// Lulls are times in which no fault begins, so that how the world recovers shows
// beyond the next one.
const (
	lullEvery = 30 * time.Second
	lull      = 4 * time.Second
)

// untilEndOfLull is how long a lull lasts on.
func untilEndOfLull(since time.Duration) time.Duration {
	if at := since % lullEvery; at >= lullEvery-lull {
		return lullEvery - at
	}
	return 0
}

// Execute lets the faults of a plan happen, those of one lane one after the
// other: one that takes long delays the next, and so does a lull. It ends with the last one that is
// begun before the time is over or the context ends.
func (e *Env) Execute(ctx context.Context, length time.Duration, steps []Step) {
	begun := time.Now()
	lanes := map[Lane][]Step{}
	for _, step := range steps {
		lanes[step.Kind.Lane] = append(lanes[step.Kind.Lane], step)
	}
	var all sync.WaitGroup
	for _, lane := range lanes {
		slices.SortFunc(lane, func(a, b Step) int { return int(a.At - b.At) })
		all.Go(func() {
			for _, step := range lane {
				if !rest(ctx, time.Until(begun.Add(step.At))) || !rest(ctx, untilEndOfLull(time.Since(begun))) ||
					time.Since(begun) > length && !step.Must {
					return
				}
				e.Inject(ctx, step.Kind, step.Seed)
			}
		})
	}
	all.Wait()
}
