package fault

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/postern-dev/postern/test/chaos/history"
	"github.com/postern-dev/postern/test/chaos/world"
)

// F16: the configuration changes while events are queued.
var (
	Suspend  = &Kind{Name: "F16 suspend an endpoint", Lane: Others, Inject: suspend}
	Rotate   = &Kind{Name: "F16 rotate a secret", Lane: Others, Inject: rotate}
	Retarget = &Kind{
		Name: "F16 take a target away and give it back", Lane: Others, Allows: droppedInHand, Inject: retarget,
	}
	Recreate = &Kind{
		Name: "F16 delete an endpoint and make it anew", Lane: Others, Allows: droppedInHand, Inject: recreate,
	}
)

// Unroute also keeps the manager from writing the route again at once.
var Unroute = &Kind{
	Name: "F16 delete a route by hand", Lane: Others, Allows: droppedInHand, Excuses: counters, Inject: unroute,
}

func (i *Injection) endpoint() *world.Endpoint {
	e := i.Endpoints[i.Chance.IntN(len(i.Endpoints))]
	return e
}

// names are the full names of an endpoint's targets.
func names(e *world.Endpoint) []string {
	var all []string
	for _, target := range e.Targets {
		all = append(all, e.Name+"/"+target.Name)
	}
	return all
}

// settling is how long what was in flight at a change may take.
const settling = time.Second

func suspend(ctx context.Context, i *Injection) error {
	e := i.endpoint()
	i.Begin(e.Name, "and let it go on")
	ctx = healing(ctx)
	e.Suspend = true
	err := i.World.Put(ctx, e)
	rest(ctx, settling)
	before := i.arrived(e)
	rest(ctx, i.between(200*time.Millisecond, time.Second))
	if got := i.arrived(e) - before; got > 0 {
		err = errors.Join(err, fmt.Errorf("%s is suspended, and %d events were delivered", e.Name, got))
	}
	e.Suspend = false
	return errors.Join(err, i.World.Put(ctx, e))
}

// arrived counts the deliveries of one endpoint.
func (i *Injection) arrived(e *world.Endpoint) int64 {
	var all int64
	for _, t := range i.Targets {
		for _, target := range e.Targets {
			if t.Name() == e.Name+"/"+target.Name {
				all += t.Received()
			}
		}
	}
	return all
}

// rotate puts a new key before the one that the senders use, and takes it back.
func rotate(ctx context.Context, i *Injection) error {
	e := i.endpoint()
	i.Begin(e.Name, "a second key for a while")
	ctx = healing(ctx)
	old := e.Keys
	e.Keys = append([][]byte{fmt.Appendf(nil, "key %d", i.n)}, old...)
	err := i.World.PutSecret(ctx, e)
	rest(ctx, i.between(100*time.Millisecond, time.Second))
	e.Keys = old
	return errors.Join(err, i.World.PutSecret(ctx, e))
}

func retarget(ctx context.Context, i *Injection) error {
	e := i.several()
	if e == nil {
		return nil
	}
	last := e.Targets[len(e.Targets)-1].Name
	i.Begin(e.Name, "target %s", last)
	ctx = healing(ctx)
	e.Absent = []string{last}
	err := i.World.Put(ctx, e)
	rest(ctx, i.between(100*time.Millisecond, time.Second))
	e.Absent = nil
	return errors.Join(err, i.World.Put(ctx, e))
}

func recreate(ctx context.Context, i *Injection) error {
	e := i.endpoint()
	i.Begin(e.Name, "what is queued goes with it")
	ctx = healing(ctx)
	i.History.Write(history.Record{Admin: &history.Admin{
		Action: history.ActionConfig, Endpoint: e.Name, Detail: "deleted",
	}})
	err := i.World.Delete(ctx, e)
	return errors.Join(err, i.World.Put(ctx, e))
}

// unroute deletes the Secret of a route. Until the manager is back no receiver
// knows the endpoint, and its events wait.
func unroute(ctx context.Context, i *Injection) error {
	e := i.endpoint()
	i.At(append(names(e), e.Name)...)
	i.Begin(e.Name, "and its events wait until the manager is back")
	ctx = healing(ctx)
	i.World.Cluster.KillManager()
	err := i.World.Unroute(ctx, e)
	rest(ctx, 2*settling)
	err = errors.Join(err, i.World.Cluster.StartManager(ctx))
	return errors.Join(err, i.World.Put(ctx, e))
}
