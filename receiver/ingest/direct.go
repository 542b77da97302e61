package ingest

import (
	"context"
	"errors"
	"net/http"
	"os"

	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/route"
)

// Errors of [Deliverer.Direct].
var (
	// ErrNoTarget means that the target is not, or no longer, available.
	ErrNoTarget = errors.New("target is not available")
	// ErrTargetBusy means that the target has as many requests as it may.
	ErrTargetBusy = errors.New("target is busy")
)

// Response is a target's answer to a direct delivery.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// relayed are the headers of a target's answer that the sender gets. Others
// are the cluster's own business: cookies, server names, addresses.
var relayed = []string{
	"Allow", "Cache-Control", "Content-Encoding", "Content-Language", "Content-Type", "Retry-After", "Www-Authenticate",
}

// forward answers for endpoints that deliver directly: with what the one target
// answers. The store keeps no event for them, but with a deduplication window it
// remembers which ones their targets have.
func (h *Handler) forward(x *exchange) (*answer, error) {
	if x.route().Delivery != route.DeliveryDirect {
		return nil, nil
	}
	if x.route().Suspend {
		return nil, &Refusal{Reason: ReasonSuspended}
	}
	if !x.identity.marked() {
		return h.relay(x.request.Context(), x)
	}
	name := x.route().UID + "/" + x.event.ID
	first, leads := h.copies.join(name, x.body)
	if !leads {
		return h.await(x, first)
	}
	first.err = &Refusal{Reason: ReasonInternal, Detail: "the first copy failed"} // unless it comes to an end
	defer h.copies.end(name, first)
	first.reply, first.known, first.err = h.forwardOnce(x)
	return first.reply, first.err
}

// forwardOnce delivers an event that no other replica is delivering, and that
// its target does not have. known is its id once the target has it.
func (h *Handler) forwardOnce(x *exchange) (reply *answer, known string, err error) {
	mark := newMark(x)
	known, err = h.takeMark(x, mark)
	if err != nil {
		return nil, "", err
	}
	if known != "" {
		return h.duplicate(x, known, queue.BodyUnknown), known, nil
	}
	// A target that is slower than its sender is let finish: then the sender's
	// retry is a duplicate, instead of a second delivery that is cut short again.
	reply, err = h.relay(context.WithoutCancel(x.request.Context()), x)
	delivered := err == nil && reply.outcome == OutcomeAccepted
	h.leaveMark(x, mark, delivered)
	if delivered {
		known = x.event.ID
	}
	return reply, known, err
}

// relay makes the target's answer the sender's. An answer that is no 2xx is
// counted as a rejection: the event was not taken.
func (h *Handler) relay(ctx context.Context, x *exchange) (*answer, error) {
	response, err := h.Deliverer.Direct(ctx, x.event, x.targets[0])
	if err != nil {
		return nil, refuseTarget(err)
	}
	h.Metrics.Received(x.route(), x.event.Type)
	reply := &answer{outcome: OutcomeAccepted, status: response.Status, header: http.Header{}, body: response.Body}
	if response.Status < 200 || response.Status > 299 {
		reply.outcome = OutcomeRejected
		h.countRefused(x, response.Status)
	}
	for _, name := range relayed {
		if values := response.Header.Values(name); len(values) > 0 {
			reply.header[name] = values
		}
	}
	return reply, nil
}

func (h *Handler) countRefused(x *exchange, status int) {
	x.reason = ReasonTargetRefused
	h.Metrics.Rejected(x.route(), string(ReasonTargetRefused))
	h.logRejection(x, &Refusal{Reason: ReasonTargetRefused}, status)
}

func refuseTarget(err error) error {
	refusal := &Refusal{Reason: ReasonTargetFailed, Detail: err.Error()}
	switch {
	case errors.Is(err, ErrTargetBusy):
		refusal.Reason = ReasonTargetBusy
	case errors.Is(err, ErrNoTarget):
		refusal.Reason = route.ReasonNoTarget
	case errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded):
		refusal.Reason = ReasonTargetTimeout
	}
	return refusal
}
