package fault

import (
	"context"
	"errors"
)

// Upgrade is F12: another build takes over, in order.
var Upgrade = &Kind{
	Name: "F12 replace the build", Lane: Processes, Excuses: versions, Inject: upgrade,
	Needs: func(e *Env) string {
		if e.Previous == "" {
			return "there is no other build; -previous names one"
		}
		return ""
	},
}

// Restart is the same with the same build. Neither excuses a loss or a duplicate.
var Restart = &Kind{Name: "F12 restart in order", Lane: Processes, Inject: restart}

// ReplacePod ends the pod in order, and the volume with it.
var ReplacePod = &Kind{
	Name: "F12 replace the pod and its volume", Lane: Processes, Inject: replacePod,
	Needs: func(e *Env) string {
		if !e.World.Ephemeral() {
			return "the store outlives its pod"
		}
		return ""
	},
}

// upgrade goes to the other build, forth and back in turn, one receiver after
// the other.
func upgrade(ctx context.Context, i *Injection) error {
	to, direction := i.Previous, "to the previous build"
	if i.World.Receivers[0].Program() == i.Previous {
		to, direction = i.Current, "to the current build"
	}
	i.Begin("receivers", "%s", direction)
	for _, r := range i.World.Receivers {
		r.Use(to)
	}
	return i.roll(ctx)
}

// replacePod leaves nothing of the store, so that all that it has must be
// delivered before the receiver ends, its back-off notwithstanding.
func replacePod(ctx context.Context, i *Injection) error {
	r, s := i.World.Receivers[0], i.World.Stores[0]
	i.Begin("pod", "SIGTERM, and an empty volume")
	r.Hold()
	r.Stop()
	s.Hold()
	s.Kill()
	err := s.Empty()
	s.Release()
	r.Release()
	return errors.Join(err, i.World.AwaitReady(healing(ctx)))
}

func restart(ctx context.Context, i *Injection) error {
	i.Begin("receivers", "SIGTERM")
	return i.roll(ctx)
}

func (i *Injection) roll(ctx context.Context) error {
	for _, r := range i.World.Receivers {
		r.Stop()
		if err := r.AwaitReady(healing(ctx)); err != nil {
			return err
		}
	}
	return nil
}
