package fault

import (
	"context"
	"errors"
)

// Discard is F20: the operator gives dead letters up.
var Discard = &Kind{Name: "F20 discard dead letters", Lane: Others, Inject: discard}

// discarded is how many of an endpoint go at a time.
const discarded = 20

func discard(ctx context.Context, i *Injection) error {
	i.Begin("operator", "some of each endpoint")
	var failed error
	for _, e := range i.Endpoints {
		_, err := i.World.Discard(healing(ctx), e, discarded)
		failed = errors.Join(failed, err)
	}
	return failed
}
