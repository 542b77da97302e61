// Package scenario says which faults meet which world and which traffic, and
// runs that: start, send, break, heal, wait until nothing is left to deliver,
// judge.
//
// It imports the suite's other packages; only the command imports it.
package scenario

import (
	"cmp"
	"time"

	"github.com/postern-dev/postern/test/chaos/check"
	"github.com/postern-dev/postern/test/chaos/fault"
	"github.com/postern-dev/postern/test/chaos/history"
	"github.com/postern-dev/postern/test/chaos/traffic"
	"github.com/postern-dev/postern/test/chaos/world"
)

// Scenario is a world, its traffic and its faults.
type Scenario struct {
	Name  string
	About string
	// Named scenarios run only when they are asked for by name.
	Named bool
	// Share is its part of the command's duration, relative to the others', and
	// Least how long it takes at least.
	Share float64
	Least time.Duration

	Topology  world.Topology
	Receivers int
	// StoreArgs and ReceiverArgs are added to those of the processes.
	StoreArgs, ReceiverArgs []string
	// Ahead is how far the store's clock is ahead of the receivers'.
	Ahead time.Duration
	// Doors is how many receivers the senders ask; 0 means all.
	Doors int
	// History is how many delivered events each endpoint keeps; 0 means the default.
	History int
	// Never are reasons for which nothing may be refused.
	Never []string
	// Volume is the size of the store's disk; 0 means that of the machine.
	Volume int64

	// Timeout is that of the targets in seconds.
	Timeout int64
	// InFlight bounds the attempts at each target; 0 means 64.
	InFlight int
	// Usual is what targets do while nothing is wrong with them; they answer 200
	// when it is empty. Where some attempts fail, events always wait in the store.
	Usual []traffic.Share
	// Rate is new events in a second; 0 means as many as go.
	Rate float64
	// Traffic says what else is particular about the senders.
	Traffic traffic.Options

	// Every is the time between two faults on the average.
	Every  time.Duration
	Faults []fault.Choice
	// Script are faults that must happen, in their order and in turns. It takes the
	// place of Faults, of which chance chooses.
	Script []*fault.Kind
	// Recovery bounds the time from the end of a fault to the first delivery of its
	// backlog; 0 means that there need not be a backlog.
	Recovery time.Duration
	// Unjudged are invariants of which a run may show nothing.
	Unjudged []check.Invariant
	// Drain is how long the backlog may last after the end; 0 means that of a
	// lease that nobody holds and a little more.
	Drain time.Duration
	// Limits are bounds of what processes use.
	Limits map[string]map[string]float64
}

const (
	mib = 1 << 20
	// lease is how long an event that nobody delivers is held for who is gone.
	lease = 15 * time.Second
	// scanInterval is how often a receiver looks at every queue, at the latest.
	scanInterval = 20 * time.Second
	// recovery is what is promised where faults leave a backlog.
	recovery = 2 * time.Second
)

// drain is how long the backlog may last: an event whose receiver or whose
// answer is gone waits for the end of its lease, and then to be looked for.
func (s *Scenario) drain() time.Duration {
	if s.Drain > 0 {
		return s.Drain
	}
	if len(s.Faults)+len(s.Script) == 0 {
		return 5 * time.Second
	}
	return lease + scanInterval
}

// bounds are those of every scenario: the limits of the pod's containers.
var bounds = map[string]map[string]float64{
	"receiver":  {history.ValueRSS: 512 * mib, history.ValueFDs: 8192},
	"receiver1": {history.ValueRSS: 512 * mib, history.ValueFDs: 8192},
	"redis":     {history.ValueRSS: 640 * mib, history.ValueFDs: 8192, history.ValueStoreUsed: storeUsed},
	"redis0":    {history.ValueStoreUsed: storeUsed},
	"redis1":    {history.ValueStoreUsed: storeUsed},
}

// storeUsed is the promise that a store stays below its maxmemory and a tenth more.
const storeUsed = 110

// usual is what targets do.
func (s *Scenario) usual() []traffic.Share {
	if len(s.Usual) > 0 {
		return s.Usual
	}
	return []traffic.Share{{Behaviour: traffic.Behaviour{Kind: traffic.OK}, Weight: 1}}
}

// flaky targets refuse some events at first, so that there are always some in
// the store that nobody has in memory.
var flaky = []traffic.Share{
	{Behaviour: traffic.Behaviour{Kind: traffic.OK}, Weight: 9},
	{Behaviour: traffic.Behaviour{Kind: traffic.Fail, Status: 422}, Weight: 1},
}

// stubborn targets refuse half of them, so that many wait in the store.
var stubborn = []traffic.Share{
	{Behaviour: traffic.Behaviour{Kind: traffic.OK}, Weight: 1},
	{Behaviour: traffic.Behaviour{Kind: traffic.Fail, Status: 422}, Weight: 1},
}

// endpoints are two tenants with three providers; one endpoint has two targets,
// of which one wants only some types.
func (s *Scenario) endpoints() []*world.Endpoint {
	made := func(name, provider string, targets ...history.Target) *world.Endpoint {
		for i := range targets {
			targets[i].TimeoutSeconds = s.Timeout
		}
		key := []byte("the key of " + s.Name + " for " + name)
		return &world.Endpoint{
			Endpoint: history.Endpoint{
				Name: s.Name + "-" + name, Provider: provider, DedupSeconds: 86400, Targets: targets,
				Retry: history.Retry{InitialBackoffSeconds: 1, MaxBackoffSeconds: 2, MaxAgeSeconds: 86400},
			},
			Keys: [][]byte{key}, MaxInFlight: cmp.Or(s.InFlight, 64), History: s.History,
		}
	}
	return []*world.Endpoint{
		made("alpha/github", traffic.GitHub,
			history.Target{Name: "all"}, history.Target{Name: "pushes", Types: []string{"push"}}),
		made("alpha/stripe", traffic.Stripe, history.Target{Name: "main"}),
		made("beta/standard", traffic.StandardWebhooks, history.Target{Name: "main"}),
	}
}

// typesOf are the event types that the senders of an endpoint use.
func typesOf(provider string) []string {
	switch provider {
	case traffic.GitHub:
		return []string{"push", "issues"}
	case traffic.Stripe:
		return []string{"charge.succeeded", "charge.failed"}
	default:
		return []string{"user.created"}
	}
}
