package ingest

import (
	"context"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
)

const (
	// firstLook and lastLook are how long a copy waits between two looks at an
	// event that another replica is delivering.
	firstLook = 25 * time.Millisecond
	lastLook  = 400 * time.Millisecond
	// holdMargin is what a mark outlives the target's timeout by.
	holdMargin = 5 * time.Second
	// leaveAgain is how soon a mark that could not be left is tried again.
	leaveAgain = 50 * time.Millisecond
)

// unmarked is what a handler without marks has: it delivers no event directly
// that it would have to know again.
type unmarked struct{}

func (unmarked) TakeMark(context.Context, queue.Mark) (queue.Standing, string, error) {
	return queue.Held, "", queue.ErrUnavailable
}
func (unmarked) KeepMark(context.Context, queue.Mark) error    { return queue.ErrUnavailable }
func (unmarked) ReleaseMark(context.Context, queue.Mark) error { return queue.ErrUnavailable }

// newMark is the mark of an event that is about to be delivered directly.
func newMark(x *exchange) queue.Mark {
	r := x.route()
	mark := queue.Mark{
		EndpointUID: r.UID,
		Target:      x.targets[0],
		EventID:     x.event.ID,
		ReplayMark:  x.identity.replayMark,
		Owner:       queue.NewID(),
		HoldFor:     holdMargin,
		RememberFor: time.Duration(r.Deduplication.WindowSeconds) * time.Second,
	}
	for _, target := range r.Targets {
		if target.Name == mark.Target {
			mark.HoldFor += time.Duration(target.TimeoutSeconds) * time.Second
		}
	}
	return mark
}

// takeMark returns once the mark is the caller's, or with the id of the event
// that this one is a copy of. While another replica delivers a copy, it waits.
func (h *Handler) takeMark(x *exchange, mark queue.Mark) (first string, err error) {
	patience := time.NewTimer(h.CopyTimeout)
	defer patience.Stop()
	for pause := firstLook; ; pause = min(2*pause, lastLook) {
		standing, first, err := h.askForMark(x, mark)
		if err != nil {
			return "", refuseStore(err)
		}
		if standing != queue.Held {
			return first, nil
		}
		select {
		case <-time.After(pause):
		case <-patience.C:
			return "", &Refusal{Reason: ReasonInFlight}
		case <-x.request.Context().Done():
			return "", &Refusal{Reason: ReasonInFlight}
		}
	}
}

func (h *Handler) askForMark(x *exchange, mark queue.Mark) (queue.Standing, string, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(x.request.Context()), h.StoreTimeout)
	defer cancel()
	return h.Marks.TakeMark(ctx, mark)
}

// leaveMark keeps or releases the mark. The target has answered already: when
// the store does not, the sender gets that answer even so, and its retries are
// held off until the mark is given up.
func (h *Handler) leaveMark(x *exchange, mark queue.Mark, delivered bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(x.request.Context()), h.StoreTimeout)
	defer cancel()
	leave := h.Marks.ReleaseMark
	if delivered {
		leave = h.Marks.KeepMark
	}
	for {
		err := leave(ctx, mark)
		if err == nil {
			return
		}
		select {
		case <-time.After(leaveAgain):
		case <-ctx.Done():
			h.Logger.Warn("What became of a direct delivery is not remembered; a retry may be delivered again",
				"endpoint", mark.EndpointUID, "event", mark.EventID, "delivered", delivered, "error", err)
			return
		}
	}
}
