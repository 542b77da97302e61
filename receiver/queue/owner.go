package queue

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/rueidis"
)

var errNoOwnerYet = errors.New("whether the store belongs to this installation has not been checked yet")

// OwnerError says that the store belongs to another installation: nothing is
// admitted, because two installations must not share one.
type OwnerError struct {
	// Owner is the id that the store has, Own that of this installation.
	Owner, Own string
}

func (e *OwnerError) Error() string {
	return fmt.Sprintf("the store belongs to installation %s, and this is installation %s: give each installation a "+
		"store of its own, or take this one over with spec.store.adoptFrom: %s", e.Owner, e.Own, e.Owner)
}

// SetInstallation says which installation this client is of. A store that belongs
// to none becomes its own. Nothing is admitted until that has been checked, which
// it tries to do before it returns. With an empty id, that of a manager which has
// none, no store is refused.
func (r *Redis) SetInstallation(ctx context.Context, id string) {
	if before := r.installation.Swap(&id); before == nil || *before != id {
		_ = r.Check(ctx) // kept in the state, and tried again by the monitor
	}
}

// own returns the installation that this client is of, empty if it has none.
func (r *Redis) own() string {
	if id := r.installation.Load(); id != nil {
		return *id
	}
	return ""
}

// claimed tells whether the store has been found to be this installation's.
func (r *Redis) claimed() bool {
	own := r.own()
	return own == "" || r.state.Load().owner == own
}

// askOwner reads whose the store is, and claims one that is nobody's.
func (r *Redis) askOwner(ctx context.Context) (string, error) {
	own := r.own()
	client, err := r.connected()
	if err != nil || own == "" {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, r.options.StepTimeout)
	defer cancel()
	get := func() (string, error) {
		owner, err := client.Do(ctx, client.B().Get().Key(keyInstallation).Build()).ToString()
		if rueidis.IsRedisNil(err) {
			return "", nil
		}
		return owner, err
	}
	owner, err := get()
	switch {
	case err != nil:
	case owner == "":
		err = client.Do(ctx, client.B().Set().Key(keyInstallation).Value(own).Nx().Build()).Error()
		if err == nil || rueidis.IsRedisNil(err) {
			owner, err = get() // another may have been quicker
		}
	case owner != own && owner == r.options.AdoptFrom:
		if err = client.Do(ctx, client.B().Set().Key(keyInstallation).Value(own).Build()).Error(); err == nil {
			owner = own
		}
	}
	if err != nil && client.Mode() == rueidis.ClientModeCluster && r.claimed() {
		return own, nil // the loss of the server that has the key is not that of the store
	}
	return owner, err
}

// judgeOwner refuses the store of another installation.
func (r *Redis) judgeOwner(ctx context.Context, next *storeState) (err error) {
	if next.owner, err = r.askOwner(ctx); err != nil {
		return err
	}
	if own := r.own(); next.owner != own {
		next.err = &OwnerError{Owner: next.owner, Own: own}
	}
	return nil
}
