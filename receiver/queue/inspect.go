package queue

import (
	"context"
	"time"

	"github.com/postern-dev/postern/receiver/event"
)

// Status is where an event stands, at one target or as a whole.
type Status string

// Statuses. An event as a whole is pending while any target is, else dead if
// any target is, else delivered.
const (
	StatusPending   Status = "pending"
	StatusDelivered Status = "delivered"
	StatusDead      Status = "dead"
	// StatusDiscarded is of a target only, at which a dead letter was given up.
	StatusDiscarded Status = "discarded"
)

// AttemptsKept is how many attempts are kept for each event and target, the latest.
const AttemptsKept = 10

// Filter selects events of one endpoint.
type Filter struct {
	// Status selects events with at least one target in that state; delivered
	// means all of them. Empty selects all that are kept.
	Status Status
	// Type selects by event type, in which * stands for any characters; empty
	// selects all.
	Type string
	// Target selects events for that target; empty selects all.
	Target string
	// Among, if set, has replays and discards leave all other targets alone.
	Among []string
	// Since selects events whose Summary.ChangedAt is not before it.
	Since time.Time
	// Limit bounds the page; 0 means 100 for List and no bound for ReplayDead.
	Limit int
	// Cursor continues after an earlier page.
	Cursor string
}

// Page is a part of a listing, latest change first.
type Page struct {
	Events []Summary `json:"events"`
	// Next continues the listing; empty at its end. A page may be short, even
	// empty, and have a next one, because the work for one page is bounded.
	Next string `json:"next,omitempty"`
}

// Summary is an event without headers and body.
type Summary struct {
	ID         string    `json:"id"`
	Source     string    `json:"source"`
	Type       string    `json:"type,omitempty"`
	DeliveryID string    `json:"deliveryID,omitempty"`
	ReceivedAt time.Time `json:"receivedAt"`
	// ChangedAt orders listings: when a pending event was received, when it was
	// delivered, or when it died last; a listing of dead events has the latter
	// even for one that is still pending at another target.
	ChangedAt time.Time `json:"changedAt,omitzero"`
	Verified  bool      `json:"verified"`
	Status    Status    `json:"status"`
	// BodyBytes is the size that the body has, or had if it is gone: the bodies of
	// delivered events are given up when all together take too much.
	BodyBytes int64         `json:"bodyBytes"`
	BodyGone  bool          `json:"bodyGone,omitempty"`
	Targets   []TargetState `json:"targets"`
}

// TargetState is where an event stands at one target.
type TargetState struct {
	Target string `json:"target"`
	Status Status `json:"status"`
	// Attempts counts the attempts of the current run; a replay starts a new one.
	Attempts int  `json:"attempts"`
	Replay   bool `json:"replay,omitempty"`
	// Reason is the one of the last settlement that had any.
	Reason string `json:"reason,omitempty"`
	// Log holds the latest attempts, oldest first, at most [AttemptsKept].
	Log []Attempt `json:"log,omitempty"`
}

// Record is one event with all that is known about it.
type Record struct {
	Summary
	Event *event.Event `json:"event"`
}

// Inspector looks at events; it changes nothing.
type Inspector interface {
	// List returns the events of an endpoint that are pending, dead or in its history.
	List(ctx context.Context, endpointUID string, filter Filter) (Page, error)
	// Get returns one event with its body, or [ErrNotFound], which is also the
	// answer for an event that only deduplication still remembers.
	Get(ctx context.Context, endpointUID, id string) (*Record, error)
}

// Replayer makes events due again, under the same id and marked as replays.
type Replayer interface {
	// Replay makes the event due now at the named targets, at all of its targets
	// if none is named, and returns how many it is due at. A target that is just
	// being delivered to is left alone. It returns [ErrNotFound] when the event
	// is not kept or never was for such a target.
	Replay(ctx context.Context, endpointUID, id string, targets []string) (int, error)
	// ReplayDead replays dead letters and returns how many; Filter.Status and
	// Filter.Cursor are not used.
	ReplayDead(ctx context.Context, endpointUID string, filter Filter) (int, error)
}

// Discarder gives up dead letters. Once an event is neither pending nor dead at
// any target it goes, but for its deduplication mark, or is part of the history
// if some target has it.
type Discarder interface {
	// Discard gives up an event at the named targets at which it is dead, at all of
	// those if none is named, and returns at how many. It returns [ErrNotFound] when
	// the event is not kept or never was for such a target.
	Discard(ctx context.Context, endpointUID, id string, targets []string) (int, error)
	// DiscardDead gives up dead letters and returns how many; Filter.Status and
	// Filter.Cursor are not used.
	DiscardDead(ctx context.Context, endpointUID string, filter Filter) (int, error)
}

// Keeper knows and removes what endpoints have in the store.
type Keeper interface {
	// Endpoints lists the endpoints that have, or had, events in the store.
	Endpoints(ctx context.Context) ([]string, error)
	// Targets lists the targets of an endpoint that have, or had, events.
	Targets(ctx context.Context, endpointUID string) ([]string, error)
	// TrimBodies gives up bodies of delivered events, the oldest first, until the
	// others take at most so many bytes, and returns how many those take. Events
	// without a body are shown, and not replayed: that is [ErrNotFound].
	TrimBodies(ctx context.Context, endpointUID string, budget int64) (kept int64, err error)
	// Purge removes everything that is kept for an endpoint that is gone:
	// pending, dead and history. Leases on its events are lost.
	Purge(ctx context.Context, endpointUID string) error
}
