package fault

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/postern-dev/postern/test/chaos/history"
	"github.com/postern-dev/postern/test/chaos/traffic"
	"github.com/postern-dev/postern/test/chaos/world"
)

// Lane is a group of faults of which one happens at a time.
type Lane string

// Lanes.
const (
	// Processes are killed, stopped, upgraded.
	Processes Lane = "processes"
	// Wires are the connections between receiver and store.
	Wires Lane = "wires"
	// Targets fail.
	Targets Lane = "targets"
	// Others are clients and operators.
	Others Lane = "others"
	// Longs last so long that others happen meanwhile.
	Longs Lane = "longs"
)

// Kind is one way in which things go wrong.
type Kind struct {
	// Name is that in plan, history and report; it begins with the number in the
	// matrix of faults.
	Name string
	Lane Lane
	// Excuses are what it may cause. AtBegin and AtEnd narrow them as those of
	// [history.Fault] do.
	Excuses []history.Excuse
	AtBegin bool
	AtEnd   bool
	// Allows is how long after its end an event may wait that somebody had in hand
	// meanwhile, and why. Nil allows nothing: what waits must go on at once.
	Allows func(*Env) (wait time.Duration, why string)
	// Needs says why it cannot be injected here; empty when it can. Nil needs nothing.
	Needs func(*Env) string
	// Inject acts, waits and heals. It returns an error when the world did not
	// get well again or did not do what the fault demands of it.
	Inject func(ctx context.Context, i *Injection) error
}

// Env is what faults act on.
type Env struct {
	World     *world.World
	History   *history.Writer
	Endpoints []*world.Endpoint
	Targets   []*traffic.Target
	Senders   *traffic.Senders
	// Current and Previous are the two builds of an upgrade.
	Current, Previous string
	// Usual is what targets do while nothing is wrong with them.
	Usual []traffic.Share
	// Volume is the mounted folder of a small disk, empty without one.
	Volume string

	number   atomic.Int64
	injected atomic.Int64
	sweep    atomic.Int64
	mu       sync.Mutex
	failures []error
}

// Injected counts the faults so far.
func (e *Env) Injected() int64 { return e.injected.Load() }

// Failures are the demands that were not met.
func (e *Env) Failures() []error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.failures
}

// Injection is one fault that happens.
type Injection struct {
	*Env
	Kind   *Kind
	Chance *rand.Rand

	n       int
	who     string
	targets []string
	begun   bool
	ended   bool
}

// Inject lets a fault of a kind happen; all that is left to chance follows from
// the seed.
func (e *Env) Inject(ctx context.Context, kind *Kind, seed uint64) {
	i := &Injection{Env: e, Kind: kind, Chance: rand.New(rand.NewPCG(seed, 1)), n: int(e.number.Add(1))}
	err := kind.Inject(ctx, i)
	if i.begun {
		i.End()
		e.injected.Add(1)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		e.mu.Lock()
		e.failures = append(e.failures, fmt.Errorf("%s: %w", kind.Name, err))
		e.mu.Unlock()
	}
}

// Begin declares the window: from now on it may show.
func (i *Injection) Begin(who, format string, args ...any) {
	i.who, i.begun = who, true
	i.record(history.Begin, fmt.Sprintf(format, args...))
}

// End declares the end of the window; without it that is when the fault has
// healed. What is excused at the end must come after it.
func (i *Injection) End() {
	if i.ended {
		return
	}
	i.ended = true
	i.record(history.End, "")
}

// At narrows what the fault excuses to targets.
func (i *Injection) At(targets ...string) { i.targets = targets }

func (i *Injection) record(phase history.Phase, detail string) {
	f := &history.Fault{
		N: i.n, Kind: i.Kind.Name, Who: i.who, Phase: phase,
		Excuses: i.Kind.Excuses, AtBegin: i.Kind.AtBegin, AtEnd: i.atEnd(), Targets: i.targets, Detail: detail,
	}
	if i.Kind.Allows != nil {
		wait, why := i.Kind.Allows(i.Env)
		f.AllowSeconds, f.AllowWhy = wait.Seconds(), why
	}
	i.History.Write(history.Record{Fault: f})
}

// atEnd bounds the deliveries that a process can be about to make when it is
// stopped, past the look at its lease: a part of all that may be in flight. What
// was in flight already is excused by the beginning.
func (i *Injection) atEnd() int {
	if !i.Kind.AtEnd {
		return 0
	}
	all := 0
	for _, e := range i.Endpoints {
		all += e.MaxInFlight * len(e.Targets)
	}
	return max(all/aboutToBegin, 1)
}

// aboutToBegin is which part of what may be in flight stands between the look at
// its lease and its first byte at any moment, generously.
const aboutToBegin = 4

// between is a duration by chance.
func (i *Injection) between(least, most time.Duration) time.Duration {
	return least + time.Duration(i.Chance.Int64N(int64(most-least)+1))
}

// mend has targets do as usual.
func (e *Env) mend(targets ...*traffic.Target) {
	for _, t := range targets {
		t.Behave(e.Usual...)
	}
}

// receiver is one of them by chance.
func (i *Injection) receiver() *world.Receiver {
	return i.World.Receivers[i.Chance.IntN(len(i.World.Receivers))]
}

// store is one of them by chance.
func (i *Injection) store() *world.Store {
	return i.World.Stores[i.Chance.IntN(len(i.World.Stores))]
}

// target is one of them by chance.
func (i *Injection) target() *traffic.Target { return i.Targets[i.Chance.IntN(len(i.Targets))] }

// rest waits, and says whether the run goes on. A fault heals either way.
func rest(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// healing is the context of what must happen whether or not the run goes on.
func healing(ctx context.Context) context.Context { return context.WithoutCancel(ctx) }

var (
	// duplicates are the excuse of faults that interrupt a delivery.
	duplicates = []history.Excuse{history.ExcuseDuplicates}
	// refusals are that of faults in which another endpoint answers.
	refusals = []history.Excuse{history.ExcuseRefusals}
	// counters are that of faults in which a receiver has no route of an endpoint.
	counters = []history.Excuse{history.ExcuseCounters}
	// versions are that of builds that take turns.
	versions = []history.Excuse{history.ExcuseVersions}
)
