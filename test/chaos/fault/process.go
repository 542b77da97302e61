package fault

import (
	"context"
	"time"

	"github.com/postern-dev/postern/test/chaos/traffic"
	"github.com/postern-dev/postern/test/chaos/world"
)

// F1: processes die.
var (
	KillReceiver = &Kind{
		Name: "F1 kill receiver", Lane: Processes, Excuses: duplicates, AtBegin: true, Allows: leases, Inject: killReceiver,
	}
	KillStore = &Kind{Name: "F1 kill redis", Lane: Processes, Excuses: duplicates, AtBegin: true, Inject: killStore}
	KillBoth  = &Kind{
		Name: "F1 kill receiver and redis", Lane: Processes, Excuses: duplicates, AtBegin: true, Allows: leases,
		Inject: killBoth,
	}
	KillManager = &Kind{Name: "F1 kill manager", Lane: Others, Inject: killManager}
)

// F7: processes stop for a while.
var (
	PauseReceiver = &Kind{
		Name: "F7 stop receiver", Lane: Processes, Excuses: duplicates, AtBegin: true, AtEnd: true, Allows: leases,
		Inject: pauseReceiver,
	}
	PauseStore     = &Kind{Name: "F7 stop redis", Lane: Processes, Excuses: duplicates, Inject: pauseStore}
	PausePastLease = &Kind{
		Name: "F7 stop receiver past its leases", Lane: Longs, Excuses: duplicates, AtBegin: true, AtEnd: true,
		Allows: leases, Inject: pausePastLease,
		Needs: func(e *Env) string {
			if len(e.World.Receivers) < 2 {
				return "nobody else could take the leases: it needs two receivers"
			}
			return ""
		},
	}
)

// pastLease is a little more than a lease of 15 s.
const pastLease = 16500 * time.Millisecond

func killReceiver(ctx context.Context, i *Injection) error {
	r := i.receiver()
	i.Begin(r.Name, "kill -9")
	r.Kill()
	return r.AwaitReady(healing(ctx))
}

func killStore(ctx context.Context, i *Injection) error {
	s := i.store()
	i.Begin(s.Name, "kill -9")
	s.Kill()
	return i.World.AwaitReady(healing(ctx))
}

func killBoth(ctx context.Context, i *Injection) error {
	r, s := i.receiver(), i.store()
	i.Begin(r.Name, "kill -9, and of %s", s.Name)
	if i.Chance.IntN(2) == 0 {
		r.Kill()
		s.Kill()
	} else {
		s.Kill()
		r.Kill()
	}
	return i.World.AwaitReady(healing(ctx))
}

func killManager(ctx context.Context, i *Injection) error {
	i.Begin("manager", "kill -9")
	i.World.Cluster.KillManager()
	return i.World.Cluster.StartManager(healing(ctx))
}

func pauseReceiver(ctx context.Context, i *Injection) error {
	return pause(ctx, i, i.receiver().Unit, i.between(200*time.Millisecond, 3*time.Second))
}

func pauseStore(ctx context.Context, i *Injection) error {
	return pause(ctx, i, i.store().Unit, i.between(200*time.Millisecond, 4*time.Second))
}

// pausePastLease stops a receiver that has more in memory than in flight: that
// is what it must not deliver when it goes on.
func pausePastLease(ctx context.Context, i *Injection) error {
	i.behave(traffic.Behaviour{Kind: traffic.Slow, Delay: 500 * time.Millisecond})
	defer i.mend(i.Targets...)
	if !rest(ctx, gathering) {
		return nil
	}
	r := i.receiver()
	i.Begin(r.Name, "stopped for %s", pastLease)
	r.Pause()
	i.mend(i.Targets...)
	rest(ctx, pastLease)
	i.End() // what it had in hand is delivered the moment that it goes on
	r.Resume()
	return i.World.AwaitReady(healing(ctx))
}

func pause(ctx context.Context, i *Injection, u *world.Unit, length time.Duration) error {
	i.Begin(u.Name, "stopped for %s", length.Round(time.Millisecond))
	u.Pause()
	rest(ctx, length)
	i.End()
	u.Resume()
	return i.World.AwaitReady(healing(ctx))
}
