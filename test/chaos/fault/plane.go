package fault

import (
	"context"
	"errors"
	"time"
)

// LosePlane is F11: the control plane is away.
var LosePlane = &Kind{
	Name: "F11 API server and manager away", Lane: Processes, Excuses: duplicates, AtBegin: true, Inject: losePlane,
}

// losePlane takes the API server and the manager away; a receiver that starts
// meanwhile goes on with the routes that it has kept.
func losePlane(ctx context.Context, i *Injection) error {
	cluster, r := i.World.Cluster, i.receiver()
	i.Begin(r.Name, "and the receiver starts anew meanwhile")
	cluster.Isolate(true)
	cluster.KillManager()
	r.Kill()
	err := r.AwaitReady(healing(ctx))
	rest(ctx, time.Second)
	cluster.Isolate(false)
	return errors.Join(err, cluster.StartManager(healing(ctx)), i.World.AwaitReady(healing(ctx)))
}
