// Package deliver brings events to their targets: at least once, fairly, and
// without letting one target's trouble become another's.
//
// An [Engine] keeps one lane for each queue (a target of an endpoint) with its
// own concurrency and circuit breaker. Events come into a lane from memory,
// handed over by the request that admitted them, or from the store, claimed
// when they are due. Pure decisions live in policy, the request and the
// network in outbound.
//
// It imports queue, event and route; it knows nothing of verification,
// filters or Kubernetes. Which targets an event matches is decided when it is
// admitted, not here.
package deliver

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/postern-dev/postern/receiver/deliver/outbound"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/route"
)

// logEvery is how often the deaths of one target for one reason are logged.
const logEvery = time.Second

// Options configure an [Engine]; the zero value of every field but Worker is usable.
type Options struct {
	// Worker is the store.
	Worker queue.Worker
	// Keeper and Current, if set, are used to clean up what removed targets and
	// deleted endpoints have left in the store; nil leaves it there. Current asks
	// the API server, never a cache, how an endpoint stands. It fails when this
	// process has not been in touch with the API server for the whole last minute.
	Keeper  queue.Keeper
	Current func(ctx context.Context, uid string) (route.Standing, error)
	// Network says how targets are reached.
	Network outbound.Network
	// Transport replaces the engine's own transport and with it the deny-list
	// of addresses; nil, the default, is the only safe value outside tests.
	Transport http.RoundTripper
	// Observer is told of attempts and depths; nil tells nobody.
	Observer Observer
	// Logger gets dead letters, breaker changes and store trouble; nil discards.
	Logger *slog.Logger
	// MemoryBudgetBytes bounds the events held in memory; 0 means 128 MiB.
	MemoryBudgetBytes int64
	// MaxInFlight bounds the attempts in flight over all targets; 0 means 1024.
	MaxInFlight int
	// Lease is how long an event is this process's without a renewal, and so
	// how long the events of a process that died wait for another; 0 means 15 s.
	Lease time.Duration
	// RescanInterval is how often the store is asked about every queue, to find
	// what other replicas left behind; 0 means 15 s. Each wait is jittered.
	RescanInterval time.Duration
	// BreakerThreshold is how many failures in a row open a breaker; 0 means 5.
	BreakerThreshold int
	// BreakerMaxBackoff caps the time between the events that a target which
	// answers, but fails, is probed with, together with the endpoint's own
	// maxBackoffSeconds; 0 means 2 s. It is longer while many targets fail.
	BreakerMaxBackoff time.Duration
	// RemovedGrace is how long the events of a target that was taken out of its
	// endpoint wait for it to come back before they become dead letters; 0
	// means 10 minutes.
	RemovedGrace time.Duration
	// GoneGrace is how long the events of an endpoint are kept after this process
	// has got its tombstone, so that requests under way end first; 0 means one minute.
	GoneGrace time.Duration
	// DrainStore makes Drain go on claiming due events, for a store that does
	// not outlive this process. Otherwise Drain finishes what is in memory.
	DrainStore bool
	// Rand returns a number in [0, 1) for jitter; nil means math/rand.
	Rand func() float64
}

func (o Options) withDefaults() Options {
	if o.Observer == nil {
		o.Observer = silent{}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Rand == nil {
		o.Rand = rand.Float64
	}
	if o.MemoryBudgetBytes <= 0 {
		o.MemoryBudgetBytes = 128 << 20
	}
	if o.MaxInFlight <= 0 {
		o.MaxInFlight = 1024
	}
	if o.BreakerThreshold <= 0 {
		o.BreakerThreshold = 5
	}
	orDuration(&o.Lease, 15*time.Second)
	orDuration(&o.RescanInterval, 15*time.Second)
	orDuration(&o.BreakerMaxBackoff, 2*time.Second)
	orDuration(&o.RemovedGrace, 10*time.Minute)
	orDuration(&o.GoneGrace, time.Minute)
	return o
}

func orDuration(value *time.Duration, fallback time.Duration) {
	if *value <= 0 {
		*value = fallback
	}
}
