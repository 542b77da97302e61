package ingest

import (
	"errors"

	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/verify"
)

// verify judges the signature and answers handshakes.
func (h *Handler) verify(x *exchange) (*answer, error) {
	request := &verify.Request{
		Method:   x.request.Method,
		RawQuery: x.request.URL.RawQuery,
		Header:   x.request.Header,
		Body:     x.body,
		Reader:   x.reader,
		Now:      x.started,
	}
	verdict, err := x.endpoint.Verifier.Verify(x.request.Context(), request)
	if err := h.checkMemory(x); err != nil {
		return nil, err
	}
	if err != nil {
		return nil, h.unverified(x, request, err)
	}
	x.verdict, x.verified = verdict, true
	if verdict.KeyName != "" {
		h.Metrics.KeyUsed(x.route(), verdict.KeyName)
		h.logOlderKey(x, verdict.KeyName)
	}
	if verdict.Handshake != nil {
		return handshakeAnswer(verdict.Handshake), nil
	}
	return nil, nil
}

// unverified refuses the request, or under Audit lets it go on as the event
// that it claims to be.
func (h *Handler) unverified(x *exchange, request *verify.Request, err error) error {
	refusal := &Refusal{Reason: ReasonVerificationUnavailable, Detail: err.Error()}
	if rejection, ok := errors.AsType[*verify.Rejection](err); ok {
		refusal = &Refusal{Reason: Reason(rejection.Reason), Detail: rejection.Detail}
	}
	h.logHint(x, request, err)
	if x.route().Source.Enforcement != route.EnforcementAudit {
		return refusal
	}
	if claimer, ok := x.endpoint.Verifier.(verify.Claimer); ok {
		x.verdict = claimer.Claimed(request)
	}
	x.reason = refusal.Reason
	h.Metrics.Rejected(x.route(), string(refusal.Reason))
	h.logAudit(x, refusal)
	return nil
}

func handshakeAnswer(response *verify.Response) *answer {
	return &answer{
		outcome: OutcomeHandshake,
		status:  response.Status,
		header:  response.Header,
		body:    response.Body,
	}
}
