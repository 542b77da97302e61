package fault

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/postern-dev/postern/test/chaos/traffic"
	"github.com/postern-dev/postern/test/chaos/world"
	"github.com/postern-dev/postern/test/kube"
)

// F15: the primary fails and its replica takes over.
var (
	KillPrimary = &Kind{Name: "F15 kill the primary until failover", Lane: Processes, Excuses: duplicates,
		Allows: rolledBack, Needs: watched, Inject: killPrimary}
	StopPrimary = &Kind{Name: "F15 stop the primary until failover", Lane: Processes, Excuses: duplicates,
		Allows: rolledBack, Needs: watched, Inject: stopPrimary}
	KillReplica = &Kind{Name: "F15 kill the replica", Lane: Processes, Needs: watched, Inject: killReplica}
	// StalledReplica loses what was acknowledged without the replica.
	StalledReplica = &Kind{Name: "F15 replica stalls and the primary dies", Lane: Processes, Excuses: duplicates,
		Allows: rolledBack, Needs: watched, Inject: stalledReplica}
	// StalePrimary is the old primary that comes back before Sentinel has told
	// anybody of the new one.
	StalePrimary = &Kind{Name: "F15 old primary back before the failover is known", Lane: Processes, Excuses: duplicates,
		Allows: rolledBack, Needs: watched, Inject: stalePrimary}
)

func watched(e *Env) string {
	if len(e.World.Sentinels) == 0 {
		return "no Sentinel watches over the store"
	}
	return ""
}

func killPrimary(ctx context.Context, i *Injection) error {
	return i.failover(ctx, "kill -9", func(s *world.Store) { s.Hold(); s.Kill() }, i.awaitSwitch,
		func(s *world.Store) { s.Release() })
}

func stopPrimary(ctx context.Context, i *Injection) error {
	return i.failover(ctx, "stopped", func(s *world.Store) { s.Pause() }, i.awaitSwitch,
		func(s *world.Store) { s.Resume() })
}

func stalePrimary(ctx context.Context, i *Injection) error {
	return i.failover(ctx, "stopped", func(s *world.Store) { s.Pause() }, i.awaitPromotion,
		func(s *world.Store) { s.Resume() })
}

// failover takes the primary away until another is one.
func (i *Injection) failover(
	ctx context.Context, how string,
	away func(*world.Store), await func(context.Context, *world.Store) error, back func(*world.Store),
) error {
	primary := i.World.Primary(ctx)
	if primary == nil {
		return errors.New("there is no primary to begin with")
	}
	i.Begin(primary.Name, "%s, and back when another is primary", how)
	away(primary)
	err := await(healing(ctx), primary)
	back(primary)
	return errors.Join(err, i.awaitHealthy(healing(ctx)))
}

// stalling is how long the replica gets nothing, longer than two steps of the
// store may take: the second one has all that has come during the first.
const stalling = 5 * time.Second

func stalledReplica(ctx context.Context, i *Injection) error {
	primary := i.World.Primary(ctx)
	if primary == nil {
		return errors.New("there is no primary to begin with")
	}
	i.Begin(primary.Name, "kill -9 after %s, and of the receivers", stalling)
	// What is acknowledged meanwhile must be in the store alone.
	i.behave(traffic.Behaviour{Kind: traffic.Fail, Status: 503})
	defer i.mend(i.Targets...)
	for _, s := range i.World.Stores {
		if s != primary {
			s.Pause()
		}
	}
	rest(ctx, stalling)
	primary.Hold()
	primary.Kill()
	for _, r := range i.World.Receivers {
		r.Kill() // with what it has in memory
	}
	for _, s := range i.World.Stores {
		s.Kill() // with what it was sent and has not read
	}
	err := i.awaitSwitch(healing(ctx), primary)
	primary.Release()
	return errors.Join(err, i.awaitHealthy(healing(ctx)))
}

func killReplica(ctx context.Context, i *Injection) error {
	primary := i.World.Primary(ctx)
	for _, s := range i.World.Stores {
		if s != primary {
			i.Begin(s.Name, "kill -9")
			s.Kill()
			break
		}
	}
	return i.awaitHealthy(healing(ctx))
}

// awaitPromotion waits until a store other than the old primary is one.
func (i *Injection) awaitPromotion(ctx context.Context, old *world.Store) error {
	return kube.Until(ctx, "the replica to become the primary", world.Patience, func(ctx context.Context) error {
		for _, s := range i.World.Stores {
			if s == old {
				continue
			}
			if role, err := s.Do(ctx, "ROLE"); err != nil || !strings.HasPrefix(role, "master") {
				return fmt.Errorf("%s says %q: %w", s.Name, role, err)
			}
		}
		return nil
	})
}

// awaitSwitch waits until Sentinel names another primary.
func (i *Injection) awaitSwitch(ctx context.Context, old *world.Store) error {
	return kube.Until(ctx, "Sentinel to name another primary", world.Patience, func(ctx context.Context) error {
		port, err := i.World.Announced(ctx)
		if err == nil && port == old.Port {
			err = errors.New("it still names the old one")
		}
		return err
	})
}

func (i *Injection) awaitHealthy(ctx context.Context) error {
	return errors.Join(i.World.AwaitReplica(ctx), i.World.AwaitReady(ctx))
}
