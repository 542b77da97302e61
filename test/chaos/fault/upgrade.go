package fault

import "context"

// Upgrade is F12: another build takes over, in order.
var Upgrade = &Kind{
	Name: "F12 replace the build", Lane: Processes, Inject: upgrade,
	Needs: func(e *Env) string {
		if e.Previous == "" {
			return "there is no other build; -previous names one"
		}
		return ""
	},
}

// Restart is the same with the same build. Neither excuses anything.
var Restart = &Kind{Name: "F12 restart in order", Lane: Processes, Inject: restart}

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
