package fault

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/postern-dev/postern/test/chaos/traffic"
	"github.com/postern-dev/postern/test/chaos/world"
)

// F19: what is there is not seen.
var (
	// OtherInstallation gives the store to a receiver that knows none of its endpoints.
	OtherInstallation = &Kind{
		Name: "F19 another installation on the store", Lane: Others, Needs: shared, Inject: otherInstallation,
	}
	// CutOff changes what the replica does not hear of.
	CutOff = &Kind{
		Name: "F19 one replica away from the API server", Lane: Others, Allows: droppedInHand, Needs: shared, Inject: cutOff,
	}
	// Yield has an endpoint lose its path while events wait for its targets.
	Yield = &Kind{
		Name: "F19 an older endpoint takes the path", Lane: Others, Excuses: refusals, Inject: yield,
	}
)

// staying is long enough for what cleans up wrongly to do so.
const staying = 3 * time.Second

func shared(e *Env) string {
	if e.World.Stores[0].Port == 0 || len(e.World.Receivers) < 2 {
		return "it needs a store that several receivers share"
	}
	return ""
}

// otherInstallation must not make the receiver of the other installation ready.
func otherInstallation(ctx context.Context, i *Injection) error {
	i.Begin("stranger", "beside the receivers")
	i.refuse()
	defer i.mend(i.Targets...)
	stranger, err := i.World.Stranger(healing(ctx))
	if err != nil {
		return err
	}
	defer stranger.Close()
	rest(ctx, staying)
	if stranger.Ready(healing(ctx)) {
		return errors.New("a receiver of another installation is ready on this store")
	}
	return nil
}

// refuse has targets keep events waiting without being taken for dead.
func (i *Injection) refuse() { i.behave(traffic.Behaviour{Kind: traffic.Fail, Status: 422}) }

// cutOff adds a target and makes an endpoint anew while one replica hears of
// neither. It shares the store with one that does.
func cutOff(ctx context.Context, i *Injection) error {
	several, one := i.several(), i.Endpoints[len(i.Endpoints)-1]
	r := i.World.Receivers[len(i.World.Receivers)-1]
	last := several.Targets[len(several.Targets)-1].Name
	ctx, running := healing(ctx), ctx
	several.Absent = []string{last}
	if err := i.World.Put(ctx, several); err != nil {
		return err
	}
	i.Begin(r.Name, "while %s gets target %s and %s is made anew", several.Name, last, one.Name)
	i.refuse()
	defer i.mend(i.Targets...)
	r.Cut(true)
	several.Absent = nil
	err := errors.Join(i.World.Put(ctx, several), i.World.Delete(ctx, one), i.World.Put(ctx, one))
	rest(running, staying)
	r.Cut(false)
	return errors.Join(err, i.World.Put(ctx, several), i.World.Put(ctx, one))
}

// several is an endpoint with more than one target.
func (i *Injection) several() *world.Endpoint {
	var found *world.Endpoint
	for _, e := range i.Endpoints {
		if len(e.Targets) > 1 {
			found = e
		}
	}
	return found
}

const (
	// older is longer than the unit of an object's age.
	older = 1100 * time.Millisecond
	// draining is how long the path stays away after the fault has ended: what
	// waits must be delivered meanwhile.
	draining = 6 * time.Second
)

func yield(ctx context.Context, i *Injection) error {
	e := i.endpoint()
	ctx, running := healing(ctx), ctx
	usurper := &world.Endpoint{Endpoint: e.Endpoint, Keys: [][]byte{fmt.Appendf(nil, "usurper %d", i.n)}}
	usurper.Name = fmt.Sprintf("%s/usurper-%d", e.Namespace(), i.n)
	if err := i.World.Put(ctx, usurper); err != nil {
		return err
	}
	defer i.World.Forget(usurper)
	rest(running, older)
	i.At(names(e)...)
	i.Begin(e.Name, "and drains")
	if err := errors.Join(i.World.Delete(ctx, e), i.World.Put(ctx, e)); err != nil {
		return err
	}
	i.refuse()
	defer i.mend(i.Targets...)
	rest(running, gathering)
	err := i.World.Yield(ctx, e, usurper)
	i.mend(i.Targets...)
	i.End()
	rest(running, draining)
	return errors.Join(err, i.World.Delete(ctx, usurper), i.World.Put(ctx, e))
}
