package ingest

import (
	"context"
	"errors"
	"time"

	"github.com/postern-dev/postern/receiver/event"
	"github.com/postern-dev/postern/receiver/queue"
)

// Reservation is room in memory for one event that is about to be admitted.
// Exactly one of HandOver and Cancel is called.
type Reservation interface {
	// LeaseFor is the lease to ask for in the admission.
	LeaseFor() time.Duration
	// HandOver gives away an event and the leases on it.
	HandOver(ev *event.Event, leases []queue.Lease)
	// Cancel gives the room back, and the leases that a failed admission may
	// have got.
	Cancel(doubtful ...queue.Lease)
}

// Deliverer is what ingest knows of delivery.
type Deliverer interface {
	// Reserve asks for room to deliver an event of that size from memory.
	Reserve(queues []queue.ID, size int64) (Reservation, bool)
	// Wake tells that events without a lease were, or may have been, admitted.
	Wake(queues ...queue.ID)
	// Direct makes one attempt while the sender waits. Its errors are
	// [ErrTargetBusy], [ErrNoTarget], or those of the network.
	Direct(ctx context.Context, ev *event.Event, target string) (*Response, error)
}

// nobody leaves every event to be claimed from the store.
type nobody struct{}

func (nobody) Reserve([]queue.ID, int64) (Reservation, bool) { return nil, false }
func (nobody) Wake(...queue.ID)                              {}
func (nobody) Direct(context.Context, *event.Event, string) (*Response, error) {
	return nil, ErrNoTarget
}

// admit is the one step that touches the store. Whatever it cannot be sure of
// is not acknowledged: the sender tries again and the mark finds the copy.
func (h *Handler) admit(x *exchange) (*answer, error) {
	r := x.route()
	queues := make([]queue.ID, 0, len(x.targets))
	for _, target := range x.targets {
		queues = append(queues, queue.ID{EndpointUID: r.UID, Target: target})
	}
	admission := newAdmission(x)
	reservation, reserved := h.reserveFor(x, queues)
	if reserved {
		admission.LeaseFor = reservation.LeaseFor()
	}
	receipt, err := h.store(x, admission)
	switch {
	case reserved && err == nil && len(receipt.Leases) > 0:
		reservation.HandOver(x.event, receipt.Leases)
	case reserved:
		reservation.Cancel(receipt.Leases...)
	case err == nil && !receipt.Duplicate, errors.Is(err, queue.ErrUnavailable):
		h.Deliverer.Wake(queues...)
	}
	if err != nil {
		return nil, refuseStore(err)
	}
	return h.stored(x, receipt), nil
}

// reserveFor asks for room in memory if a target gets the event now.
func (h *Handler) reserveFor(x *exchange, queues []queue.ID) (Reservation, bool) {
	if len(queues) == 0 {
		return nil, false
	}
	return h.Deliverer.Reserve(queues, x.event.Size())
}

func newAdmission(x *exchange) *queue.Admission {
	r := x.route()
	admission := &queue.Admission{
		Event:        x.event,
		Targets:      x.targets,
		ReplayMark:   x.identity.replayMark,
		Dead:         x.failed,
		DeadReason:   string(ReasonExpressionFailed),
		HistoryLimit: r.HistoryLimit,
	}
	if x.identity.marked() {
		admission.RememberFor = time.Duration(r.Deduplication.WindowSeconds) * time.Second
	}
	return admission
}

// store goes on when the sender leaves: the event is whole, and what is stored
// now need not be sent again.
func (h *Handler) store(x *exchange, admission *queue.Admission) (queue.Receipt, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(x.request.Context()), h.StoreTimeout)
	defer cancel()
	return h.Store.Admit(ctx, admission)
}

func refuseStore(err error) error {
	reason := ReasonStoreUnavailable
	if errors.Is(err, queue.ErrFull) {
		reason = ReasonStoreFull
	}
	return &Refusal{Reason: reason, Detail: err.Error()}
}

func (h *Handler) stored(x *exchange, receipt queue.Receipt) *answer {
	if receipt.Duplicate {
		return h.duplicate(x, receipt.EventID, receipt.Body)
	}
	h.Quota.Stored(x.route().UID, x.event.Size())
	h.Metrics.Received(x.route(), x.event.Type)
	for _, target := range x.failed {
		h.Metrics.Buried(x.route(), target)
	}
	return answerFor(OutcomeAccepted, receipt.EventID)
}

// duplicate answers a copy of the named event, and counts it if it was verified.
func (h *Handler) duplicate(x *exchange, first string, body queue.BodyMatch) *answer {
	if x.event.Verified {
		h.Metrics.Duplicate(x.route(), string(body))
	}
	return answerFor(OutcomeDuplicate, first)
}
