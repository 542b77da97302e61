package scenario

import (
	"fmt"
	"slices"
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
	longFault = 20 * time.Second
)

// OfMutant is the scenario that must catch a mutant, and how long it takes.
func OfMutant(m *mutant.Mutant) (*Scenario, time.Duration, error) {
	s := &Scenario{
		Name: m.Name, About: m.Why, Topology: world.Topology(m.Topology), Receivers: 2, StoreArgs: m.StoreArgs,
		Timeout: 2, Rate: 400, Traffic: lively, Every: 1200 * time.Millisecond,
	}
	length := mutantLength
	for _, name := range m.Faults {
		kind, ok := fault.Named(name)
		if !ok {
			return nil, 0, fmt.Errorf("the mutant %s wants the fault %q, which there is not", m.Name, name)
		}
		s.Faults = append(s.Faults, fault.Choice{Kind: kind, Weight: 1})
		s.Usual = flaky
		if kind.Lane == fault.Longs {
			length = longFault
		}
	}
	if length == longFault {
		// More is in memory than in flight when a process stops.
		s.InFlight, s.Rate = 4, 200
		slow := traffic.Behaviour{Kind: traffic.Slow, Delay: 100 * time.Millisecond}
		s.Usual = []traffic.Share{{Behaviour: slow, Weight: 1}}
	}
	if s.Topology == world.Sidecar {
		s.Receivers = 1
	} else {
		s.Traffic = impatient()
		s.Traffic.Timeout = 5 * time.Second // what comes late counts, too
	}
	return s, length, nil
}

// Caught tells whether the checker found what it must find in a mutant.
func Caught(m *mutant.Mutant, outcome *Outcome) bool {
	return slices.ContainsFunc(outcome.Result.Verdicts, func(v check.Verdict) bool {
		return !v.OK() && slices.Contains(m.Invariants, v.Invariant)
	})
}
