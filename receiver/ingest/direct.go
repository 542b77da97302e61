package ingest

import (
	"context"
	"errors"
	"net/http"
	"os"

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

// forward answers for endpoints that deliver directly: with what the one
// target answers. The store has no part in it, so that nothing is remembered
// either: a sender's retry reaches the target again, under the same event id.
func (h *Handler) forward(x *exchange) (*answer, error) {
	if x.route().Delivery != route.DeliveryDirect {
		return nil, nil
	}
	if x.route().Suspend {
		return nil, &Refusal{Reason: ReasonSuspended}
	}
	response, err := h.Deliverer.Direct(x.request.Context(), x.event, x.targets[0])
	if err != nil {
		return nil, refuseTarget(err)
	}
	h.Metrics.Received(x.route(), x.event.Type)
	return h.relay(x, response), nil
}

// relay makes the target's answer the sender's. An answer that is no 2xx is
// counted as a rejection: the event was not taken.
func (h *Handler) relay(x *exchange, response *Response) *answer {
	reply := &answer{outcome: OutcomeAccepted, status: response.Status, header: http.Header{}, body: response.Body}
	if response.Status < 200 || response.Status > 299 {
		reply.outcome, x.reason = OutcomeRejected, ReasonTargetRefused
		h.Metrics.Rejected(x.route(), string(ReasonTargetRefused))
		h.logRejection(x, &Refusal{Reason: ReasonTargetRefused}, response.Status)
	}
	for _, name := range relayed {
		if values := response.Header.Values(name); len(values) > 0 {
			reply.header[name] = values
		}
	}
	return reply
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
