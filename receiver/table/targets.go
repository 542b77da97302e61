package table

import (
	"errors"
	"fmt"

	"github.com/postern-dev/postern/receiver/expr"
	"github.com/postern-dev/postern/receiver/route"
)

// target decides whether one target gets an event.
type target struct {
	name  string
	types []string
	when  *expr.Bool
}

func (e *Endpoint) compileTargets() error {
	for _, t := range e.Route.Targets {
		compiled := target{name: t.Name, types: t.EventTypes}
		if t.WhenExpression != "" {
			when, err := expr.CompileBool(t.WhenExpression)
			if err != nil {
				return fmt.Errorf("target %s: when: %w", t.Name, err)
			}
			compiled.when = when
		}
		e.targets = append(e.targets, compiled)
	}
	return nil
}

// Match returns the names of the targets that the event is for, and beside
// them what went wrong. An expression that fails on the event, say for a key
// that the body does not have, does not hold. One that ended at a limit is
// undecided and the target gets the event: a delivery too many can be ignored,
// one too few is lost.
func (e *Endpoint) Match(facts *Facts) ([]string, error) {
	var names []string
	var errs []error
	for _, t := range e.targets {
		matches, err := t.matches(facts)
		if err != nil {
			errs = append(errs, fmt.Errorf("target %s: %w", t.name, err))
		}
		if matches || expr.Exceeded(err) {
			names = append(names, t.name)
		}
	}
	return names, errors.Join(errs...)
}

func (t *target) matches(facts *Facts) (bool, error) {
	if !route.MatchesEventType(t.types, facts.Event.Type) {
		return false, nil
	}
	if t.when == nil {
		return true, nil
	}
	return t.when.Eval(facts)
}
