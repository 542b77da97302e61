package scenario

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/postern-dev/postern/test/chaos/check"
	"github.com/postern-dev/postern/test/chaos/fault"
	"github.com/postern-dev/postern/test/chaos/mutant"
	"github.com/postern-dev/postern/test/chaos/traffic"
	"github.com/postern-dev/postern/test/chaos/world"
)

const (
	mutantLength = 8 * time.Second
	// longFault is how long a mutant runs that shows only after leases have run out.
	longFault  = 20 * time.Second
	mutantRate = 400
)

// held are targets by the word that a mutant has for them.
var held = map[string][]traffic.Share{
	"":              flaky,
	mutant.Stubborn: stubborn,
	mutant.Busy: {
		{Behaviour: traffic.Behaviour{Kind: traffic.OK}, Weight: 3},
		{Behaviour: traffic.Behaviour{Kind: traffic.Busy, RetryAfter: 1}, Weight: 1},
	},
	mutant.Slow: {
		{Behaviour: traffic.Behaviour{Kind: traffic.Slow, Delay: 150 * time.Millisecond}, Weight: 1},
		{Behaviour: traffic.Behaviour{Kind: traffic.Fail, Status: 422}, Weight: 1},
	},
}

// OfMutant is the scenario that must catch a mutant, and how long it takes.
func OfMutant(m *mutant.Mutant) (*Scenario, time.Duration, error) {
	if m.Scenario != "" {
		return inScenario(m)
	}
	s := &Scenario{
		Name: m.Name, About: m.Why, Topology: world.Topology(m.Topology), Receivers: 2, StoreArgs: m.StoreArgs,
		Timeout: 2, Rate: cmp.Or(m.Rate, mutantRate), Traffic: lively, Every: 1200 * time.Millisecond,
	}
	length := mutantLength
	if err := s.follow(m); err != nil {
		return nil, 0, err
	}
	for _, kind := range s.Script {
		s.Usual, s.Recovery = held[m.Targets], recovery
		if kind.Lane == fault.Longs {
			length = longFault
			// More is in memory than in flight when a process stops.
			s.InFlight, s.Rate = 4, mutantRate/2
		}
	}
	if s.Topology == world.Sidecar {
		s.Receivers = 1
	} else {
		s.Traffic = impatient()
		s.Traffic.Timeout = 5 * time.Second // what comes late counts, too
	}
	return s, length, nil
}

// follow has the faults of a mutant happen in place of those of chance.
func (s *Scenario) follow(m *mutant.Mutant) error {
	s.Faults = nil
	for _, name := range m.Faults {
		kind, ok := fault.Named(name)
		if !ok {
			return fmt.Errorf("the mutant %s wants the fault %q, which there is not", m.Name, name)
		}
		s.Script = append(s.Script, kind)
	}
	return nil
}

// inScenario is the scenario of the product that shows the mutant.
func inScenario(m *mutant.Mutant) (*Scenario, time.Duration, error) {
	found, err := Find(m.Scenario)
	if err != nil {
		return nil, 0, err
	}
	s := found[0]
	s.Name, s.About = m.Name, m.Why
	return s, max(mutantLength, s.Least/2), s.follow(m)
}

// Missed tells why a run of a mutant shows nothing: the faults that bring it out
// that did not happen.
func Missed(m *mutant.Mutant, outcome *Outcome) []string {
	return slices.DeleteFunc(slices.Clone(m.Faults), func(name string) bool {
		return outcome.Result.Figures.Faults[name].Count > 0
	})
}

// Caught returns the signs of a mutant that the checker found; none means that
// the mutant passes, whatever else was wrong with the run.
func Caught(m *mutant.Mutant, outcome *Outcome) []mutant.Sign {
	var found []mutant.Sign
	for _, sign := range m.Signs {
		violations := outcome.Result.Verdict(sign.Invariant).Violations
		if slices.ContainsFunc(violations, func(v check.Violation) bool { return strings.Contains(v.Message, sign.Text) }) {
			found = append(found, sign)
		}
	}
	return found
}
