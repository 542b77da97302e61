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

// Match returns the names of the targets that the event is for, and of those
// whose expression failed on it, say for a key that the body does not have.
// Beside them is what went wrong. untyped is why the endpoint's own expression
// gave no event type: a target that the type in facts rules out has failed then.
func (e *Endpoint) Match(facts *Facts, untyped error) (names, failed []string, err error) {
	var errs []error
	for _, t := range e.targets {
		matches, err := t.matches(facts, untyped)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("target %s: %w", t.name, err))
			failed = append(failed, t.name)
		case matches:
			names = append(names, t.name)
		}
	}
	return names, failed, errors.Join(errs...)
}

func (t *target) matches(facts *Facts, untyped error) (bool, error) {
	if !route.MatchesEventType(t.types, facts.Event.Type) {
		return false, untyped
	}
	if t.when == nil {
		return true, nil
	}
	holds, err := t.when.Eval(facts)
	if holds || err != nil || untyped == nil {
		return holds, err
	}
	facts.Untyped = untyped
	defer func() { facts.Untyped = nil }()
	return t.when.Eval(facts)
}
