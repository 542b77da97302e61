package deliver_test

import (
	"context"
	"errors"
	"sync"

	"github.com/postern-dev/postern/receiver/route"
)

var errCutOff = errors.New("the API server cannot be reached")

// authority is what the API server says of endpoints.
type authority struct {
	mu       sync.Mutex
	standing map[string]route.Standing
	away     bool
}

func (a *authority) current(_ context.Context, uid string) (route.Standing, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.away {
		return route.Standing{}, errCutOff
	}
	return a.standing[uid], nil
}

// has makes these the routes that exist.
func (a *authority) has(endpoints ...*route.Endpoint) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.standing = map[string]route.Standing{}
	for _, e := range endpoints {
		a.standing[e.UID] = route.Standing{Route: e}
	}
}

// deleted gives an endpoint its tombstone.
func (a *authority) deleted(uid string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.standing[uid] = route.Standing{Deleted: true}
}

func (a *authority) isAway(away bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.away = away
}
