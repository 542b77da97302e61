package queue

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/postern-dev/postern/receiver/event"
)

// Errors of the store. Everything else that a method returns is an unknown
// outcome: the work may or may not have been done.
var (
	// ErrFull means that the store is past its watermark; nothing was written.
	ErrFull = errors.New("store is full")
	// ErrUnavailable means that the store could not be asked.
	ErrUnavailable = errors.New("store is unavailable")
	// ErrLeaseLost means that the lease ran out and somebody else has the event,
	// or that it was settled already; nothing was written.
	ErrLeaseLost = errors.New("lease is lost")
	// ErrNotFound means that there is no such event.
	ErrNotFound = errors.New("event not found")
)

// ID names one queue: one target of one endpoint.
type ID struct {
	EndpointUID string
	Target      string
}

// Admission is one event to be stored, with what deduplication needs.
type Admission struct {
	// Event is stored as it is and must not be changed afterwards. Only its ID
	// may be replaced, by Admit itself: when the deduplication window of an
	// earlier event with the same id is over while that event is still kept,
	// the new one gets an id of its own.
	Event *event.Event
	// Targets are the names of the targets that the event must reach.
	Targets []string
	// Dead are the names of targets whose dead letters the event joins at once,
	// with DeadReason, a word of a closed set. Targets and Dead have at least one
	// name together, and none twice.
	Dead       []string
	DeadReason string
	// LeaseFor leases the event to the caller on admission, for hand-over in
	// memory; 0 leaves it to be claimed.
	LeaseFor time.Duration
	// RememberFor is the deduplication window; with 0 an event is known only as
	// long as it is kept, so that callers without deduplication use random ids.
	RememberFor time.Duration
	// ReplayMark, if set, is a second mark, a short hash: an event with the same
	// mark within the window is a duplicate even under another id.
	ReplayMark string
	// HistoryLimit is how many delivered events of the endpoint are kept with
	// their bodies. Dead ones are kept until somebody replays or purges them.
	HistoryLimit int
}

// all are the targets that the event is for.
func (a *Admission) all() []string { return slices.Concat(a.Targets, a.Dead) }

// Receipt is the durable outcome of an admission.
type Receipt struct {
	// EventID is the event's id, or for a duplicate the id of the first.
	EventID   string
	Duplicate bool
	// Body says of a duplicate whether its body is that of the first; else it is empty.
	Body BodyMatch
	// Leases are the caller's leases, one a target in the order of
	// Admission.Targets; empty for a duplicate and without LeaseFor. Beside an
	// error they are those that the caller has if the event was stored after all:
	// given back with Release, the event need not wait until they run out.
	Leases []Lease
}

// BodyMatch says whether the body of a duplicate has the bytes of the first one's.
type BodyMatch string

// Body matches.
const (
	BodySame      BodyMatch = "same"
	BodyDifferent BodyMatch = "different"
	// BodyUnknown: the body of the first is no longer kept, or never was.
	BodyUnknown BodyMatch = "unknown"
)

// MatchBodies compares the body of a duplicate with that of the first.
func MatchBodies(first, second []byte) BodyMatch {
	if bytes.Equal(first, second) {
		return BodySame
	}
	return BodyDifferent
}

// Lease is the right to deliver one event to one target until it expires.
type Lease struct {
	Queue   ID
	EventID string
	// Fence grows with every claim; a settlement with an old fence is refused.
	// It begins at random, so that two admissions of an event have different ones.
	Fence int64
	// Attempts is the number of attempts that were made before; a replay counts anew.
	Attempts int
	// Replayed is when a person asked for this delivery again; zero when nobody did.
	Replayed time.Time
}

// Delivery is a claimed event.
type Delivery struct {
	Lease Lease
	Event *event.Event
	// Unreadable is set for an event that a newer version wrote: only its id and
	// the time of its receipt are known. It waits for a process that can read it,
	// to which it is released, until it is too old and settled as dead. Its fence
	// is 0 where the claim has released it already.
	Unreadable bool
}

// Attempt is the record of one try, kept for people.
type Attempt struct {
	At      time.Time     `json:"at"`
	Status  int           `json:"status,omitempty"`
	Latency time.Duration `json:"latencyNanos"`
	Error   string        `json:"error,omitempty"`
	// Excerpt is the start of the response body, at most [MaxExcerpt] bytes. Only
	// that of the latest attempt is kept, and less of it when memory is short.
	Excerpt string `json:"excerpt,omitempty"`
}

// Settlement ends a lease. Exactly one of Done, Dead, Retry and Release holds.
type Settlement struct {
	Outcome Outcome
	// After is when the event is due again, for Retry and Release.
	After time.Duration
	// Reason says why the event died or is retried: a word of a closed set.
	Reason string
	// Attempt is nil when nothing was tried (Release).
	Attempt *Attempt
}

// Outcome is how a lease ended.
type Outcome int

// Outcomes.
const (
	// Done: the target has it.
	Done Outcome = iota
	// Retry: tried and failed; due again after Settlement.After.
	Retry
	// Dead: never again by itself; to the dead letters.
	Dead
	// Release: not tried; due again after Settlement.After, no attempt spent.
	Release
)

// Admitter stores events.
type Admitter interface {
	// Admit stores the event and claims its deduplication mark in one atomic,
	// durable step. An error means that the event is not to be acknowledged;
	// beside one, only the leases of the receipt mean something.
	Admit(ctx context.Context, admission *Admission) (Receipt, error)
}

// Worker is the delivering side.
type Worker interface {
	// Claim leases up to limit due events of one queue, oldest due first, and
	// loads them: at most [MaxClaimBytes] together, or one. Events whose stored
	// bytes do not match their checksum are moved to the dead letters with reason
	// "corrupt" and not returned. If the answer to a claim is lost, the next claim
	// of that queue by this process makes its events due again.
	Claim(ctx context.Context, queue ID, limit int, lease time.Duration) ([]Delivery, error)
	// Renew extends leases that are still held and returns those that are lost.
	Renew(ctx context.Context, leases []Lease, lease time.Duration) (lost []Lease, err error)
	// Settle ends a lease, or returns [ErrLeaseLost].
	Settle(ctx context.Context, lease Lease, settlement Settlement) error
	// Hasten makes events due that are due later than limit from now: clocks of
	// stores jump, and no event waits for longer than its schedule allows. Those
	// that are leased are due after the lease, so that their holder can renew it, or
	// with a lease of 0 left alone.
	Hasten(ctx context.Context, queue ID, limit, lease time.Duration) error
	// ExpireDead gives up the dead letters of a queue that died so long ago or
	// longer, and returns how many.
	ExpireDead(ctx context.Context, queue ID, age time.Duration) (int, error)
	// Depths reports the given queues in the same order, in few round trips. Queues
	// that cannot be reached do not fail the others: see [PartialError]. So it is
	// with Renew.
	Depths(ctx context.Context, queues []ID) ([]Depth, error)
	// Part names the part of the store that has an endpoint. Parts fail apart from
	// one another; a store of one server has one.
	Part(endpointUID string) string
}

// Store is the whole of a store: what [Redis] and [Memory] implement.
type Store interface {
	Admitter
	Worker
	Inspector
	Replayer
	Discarder
	Keeper
	Marker
	Sizer
	Ledger
}

// Depth describes one queue at one moment.
type Depth struct {
	// Pending counts events that are due, delayed or leased; Dead the dead letters.
	Pending int64
	Dead    int64
	// NextDue is when the earliest event is due; zero without events. A leased
	// event is due when its lease runs out. LastDue is the same of the last event.
	// Both are on the clock of this process.
	NextDue, LastDue time.Time
	// Oldest is when the oldest pending event was received; zero without events.
	Oldest time.Time
	// OldestDead is when the oldest dead letter died; zero without any.
	OldestDead time.Time
}
