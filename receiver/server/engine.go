package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/postern-dev/postern/receiver/deliver"
	"github.com/postern-dev/postern/receiver/event"
	"github.com/postern-dev/postern/receiver/ingest"
	"github.com/postern-dev/postern/receiver/queue"
)

// deliverer is the engine as ingest sees it: neither of the two packages
// imports the other.
type deliverer struct{ engine *deliver.Engine }

var _ ingest.Deliverer = deliverer{}

func (d deliverer) Reserve(queues []queue.ID, size int64) (ingest.Reservation, bool) {
	granted, ok := d.engine.Reserve(queues, size)
	if !ok {
		return nil, false
	}
	return reservation{granted}, true
}

func (d deliverer) Wake(queues ...queue.ID) { d.engine.Wake(queues...) }

func (d deliverer) Direct(ctx context.Context, ev *event.Event, target string) (*ingest.Response, error) {
	response, err := d.engine.Direct(ctx, ev, target)
	switch {
	case errors.Is(err, deliver.ErrBusy):
		return nil, fmt.Errorf("%w: %w", ingest.ErrTargetBusy, err)
	case errors.Is(err, deliver.ErrNoTarget):
		return nil, fmt.Errorf("%w: %w", ingest.ErrNoTarget, err)
	case err != nil:
		return nil, err
	}
	return &ingest.Response{Status: response.Status, Header: response.Header, Body: response.Body}, nil
}

type reservation struct{ granted *deliver.Reservation }

func (r reservation) LeaseFor() time.Duration { return r.granted.LeaseFor }

func (r reservation) HandOver(ev *event.Event, leases []queue.Lease) { r.granted.HandOver(ev, leases) }

func (r reservation) Cancel(doubtful ...queue.Lease) { r.granted.Cancel(doubtful...) }
