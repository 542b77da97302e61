package table

import (
	"errors"
	"fmt"
	"strings"
)

// target decides whether one target gets an event.
type target struct {
	name  string
	types []string
	when  boolExpression
}

func (e *Endpoint) compileTargets() error {
	for i, t := range e.Route.Targets {
		when, err := compileBool(fmt.Sprintf("targets[%d].when", i), t.WhenExpression)
		if err != nil {
			return err
		}
		e.targets = append(e.targets, target{name: t.Name, types: t.EventTypes, when: when})
	}
	return nil
}

// Match returns the names of the targets that the event is for. A target
// whose expression fails on the event gets it, and the error is returned
// beside the names: a delivery too many can be ignored, one too few is lost.
func (e *Endpoint) Match(facts *Facts) ([]string, error) {
	var names []string
	var errs []error
	for _, t := range e.targets {
		matches, err := t.matches(facts)
		if err != nil {
			errs = append(errs, fmt.Errorf("target %s: %w", t.name, err))
		}
		if matches || err != nil {
			names = append(names, t.name)
		}
	}
	return names, errors.Join(errs...)
}

func (t *target) matches(facts *Facts) (bool, error) {
	if !matchesType(t.types, facts.Type) {
		return false, nil
	}
	if t.when == nil {
		return true, nil
	}
	return t.when(facts)
}

func matchesType(globs []string, eventType string) bool {
	if len(globs) == 0 {
		return true
	}
	for _, glob := range globs {
		if matchGlob(glob, eventType) {
			return true
		}
	}
	return false
}

// matchGlob knows one wildcard, * for any run of characters, dots and slashes
// included: event types are names, not paths.
func matchGlob(glob, text string) bool {
	parts := strings.Split(glob, "*")
	if len(parts) == 1 {
		return glob == text
	}
	first, last := parts[0], parts[len(parts)-1]
	if len(text) < len(first)+len(last) || !strings.HasPrefix(text, first) || !strings.HasSuffix(text, last) {
		return false
	}
	text = text[len(first) : len(text)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text = text[i+len(part):]
	}
	return true
}
