package fault

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/postern-dev/postern/test/chaos/world"
	"github.com/postern-dev/postern/test/kube"
)

// F15: the primary fails and its replica takes over.
var (
	KillPrimary = &Kind{Name: "F15 kill the primary until failover", Lane: Processes, Excuses: duplicates,
		Needs: watched, Inject: killPrimary}
	StopPrimary = &Kind{Name: "F15 stop the primary until failover", Lane: Processes, Excuses: duplicates,
		Needs: watched, Inject: stopPrimary}
	KillReplica = &Kind{Name: "F15 kill the replica", Lane: Processes, Needs: watched, Inject: killReplica}
)

func watched(e *Env) string {
	if len(e.World.Sentinels) == 0 {
		return "no Sentinel watches over the store"
	}
	return ""
}

func killPrimary(ctx context.Context, i *Injection) error {
	primary := i.World.Primary(ctx)
	if primary == nil {
		return errors.New("there is no primary to begin with")
	}
	i.Begin(primary.Name, "kill -9")
	primary.Hold()
	primary.Kill()
	err := i.awaitOther(healing(ctx), primary)
	primary.Release()
	return errors.Join(err, i.awaitHealthy(healing(ctx)))
}

func stopPrimary(ctx context.Context, i *Injection) error {
	primary := i.World.Primary(ctx)
	if primary == nil {
		return errors.New("there is no primary to begin with")
	}
	i.Begin(primary.Name, "stopped, and back when another is primary")
	primary.Pause()
	err := i.awaitOther(healing(ctx), primary)
	_ = rest(ctx, i.between(0, time.Second)) // it goes on either way
	primary.Resume()
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

// awaitOther waits until a store other than the old primary is one.
func (i *Injection) awaitOther(ctx context.Context, old *world.Store) error {
	return kube.Until(ctx, "the replica to become the primary", world.Patience, func(ctx context.Context) error {
		for _, s := range i.World.Stores {
			if s == old {
				continue
			}
			if role, err := s.Do(ctx, "ROLE"); err != nil || role[:6] != "master" {
				return fmt.Errorf("%s says %q: %w", s.Name, role, err)
			}
		}
		return nil
	})
}

func (i *Injection) awaitHealthy(ctx context.Context) error {
	return errors.Join(i.World.AwaitReplica(ctx), i.World.AwaitReady(ctx))
}
