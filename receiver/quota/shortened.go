package quota

import (
	"time"

	"github.com/postern-dev/postern/receiver/route"
)

// Asked is how far back copies of an endpoint's events shall be recognised.
func Asked(endpoint *route.Endpoint) time.Duration {
	return time.Duration(endpoint.Deduplication.WindowSeconds) * time.Second
}

// Window is how far back copies of an endpoint's events are recognised now, when
// marks whose windows end by forgotten gave way; it is zero where none did.
func Window(endpoint *route.Endpoint, forgotten, now time.Time) time.Duration {
	if forgotten.IsZero() {
		return Asked(endpoint)
	}
	return max(0, Asked(endpoint)-max(0, forgotten.Sub(now)))
}

// Shortened are the endpoints whose deduplication windows are shorter than they
// ask for.
type Shortened struct {
	Endpoints int
	// Shortest is the endpoint with the shortest window, nil without any.
	Shortest *route.Endpoint
	Window   time.Duration
}

// Shortened tells what the latest measurements of all endpoints found.
func (k *Keeper) Shortened(now time.Time) Shortened {
	k.mu.RLock()
	defer k.mu.RUnlock()
	var found Shortened
	for _, a := range k.accounts {
		window := Window(a.route, a.measured.Forgotten, now)
		if window >= Asked(a.route) {
			continue
		}
		found.Endpoints++
		if first := found.Shortest; first == nil || window < found.Window ||
			window == found.Window && a.uid < first.UID {
			found.Shortest, found.Window = a.route, window
		}
	}
	return found
}
