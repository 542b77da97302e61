package deliver

import (
	"context"
	"errors"
	"net/http"

	"github.com/postern-dev/postern/receiver/event"
)

// Errors of [Engine.Direct], beside those of the network.
var (
	// ErrNoTarget means that the current routes do not name the target, or that
	// its Service does not exist.
	ErrNoTarget = errors.New("target is not available")
	// ErrBusy means that the target has maxInFlight requests already.
	ErrBusy = errors.New("target is busy")
	// ErrResponseTooLarge means that the target's answer exceeds 1 MiB.
	ErrResponseTooLarge = errors.New("response of the target is too large")
)

// Response is a target's answer to a direct delivery, ready to be relayed:
// hop-by-hop headers are removed.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Direct makes one attempt while the sender waits, within the target's timeout
// and ctx. The store is not involved.
func (e *Engine) Direct(ctx context.Context, ev *event.Event, target string) (*Response, error) {
	return nil, ErrNoTarget
}
