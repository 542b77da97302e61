package ingest

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/table"
	"github.com/postern-dev/postern/receiver/verify"
)

// Reason is why a request was refused: the word in the answer, the log and the metric.
type Reason string

// Reasons beside those of verification and of unavailable routes.
const (
	ReasonNotReady                Reason = "not_ready"
	ReasonUnknownEndpoint         Reason = "unknown_endpoint"
	ReasonPathMalformed           Reason = "path_malformed"
	ReasonTooManyHeaders          Reason = "too_many_headers"
	ReasonMethodNotAllowed        Reason = "method_not_allowed"
	ReasonIPNotAllowed            Reason = "ip_not_allowed"
	ReasonRateLimited             Reason = "rate_limited"
	ReasonBodyTooLarge            Reason = "body_too_large"
	ReasonBodyTimeout             Reason = "body_timeout"
	ReasonBodyIncomplete          Reason = "body_incomplete"
	ReasonVerificationUnavailable Reason = "verification_unavailable"
	ReasonOverloaded              Reason = "overloaded"
	ReasonStoreUnavailable        Reason = "store_unavailable"
	ReasonStoreFull               Reason = "store_full"
	ReasonNamespaceFull           Reason = "namespace_full"
	ReasonExpressionFailed        Reason = "expression_failed"
	ReasonSuspended               Reason = "suspended"
	ReasonInFlight                Reason = "in_flight"
	ReasonTargetBusy              Reason = "target_busy"
	ReasonTargetFailed            Reason = "target_failed"
	ReasonTargetTimeout           Reason = "target_timeout"
	ReasonTargetRefused           Reason = "target_refused"
	ReasonInternal                Reason = "internal"
)

// Refusal is the error of a stage that does not let a request go on.
type Refusal struct {
	Reason Reason
	// Detail is for the log; the sender does not see it. It never carries
	// payload or key material.
	Detail string
	// Header is added to the answer.
	Header http.Header
}

// Error returns reason and detail.
func (r *Refusal) Error() string {
	if r.Detail == "" {
		return string(r.Reason)
	}
	return string(r.Reason) + ": " + r.Detail
}

// presentation is what the sender sees of a reason.
type presentation struct {
	status     int
	retryAfter time.Duration
}

// presentations is the one place that turns reasons into statuses. Reasons
// that are not here are those of unavailable routes.
var presentations = map[Reason]presentation{
	ReasonNotReady:                         {status: http.StatusServiceUnavailable, retryAfter: time.Second},
	ReasonUnknownEndpoint:                  {status: http.StatusNotFound},
	ReasonPathMalformed:                    {status: http.StatusBadRequest},
	ReasonTooManyHeaders:                   {status: http.StatusRequestHeaderFieldsTooLarge},
	ReasonMethodNotAllowed:                 {status: http.StatusMethodNotAllowed},
	ReasonIPNotAllowed:                     {status: http.StatusForbidden},
	ReasonRateLimited:                      {status: http.StatusTooManyRequests, retryAfter: time.Second},
	ReasonBodyTooLarge:                     {status: http.StatusRequestEntityTooLarge},
	ReasonBodyTimeout:                      {status: http.StatusRequestTimeout},
	ReasonBodyIncomplete:                   {status: http.StatusBadRequest},
	Reason(verify.SignatureMissing):        {status: http.StatusUnauthorized},
	Reason(verify.SignatureMalformed):      {status: http.StatusUnauthorized},
	Reason(verify.SignatureMismatch):       {status: http.StatusUnauthorized},
	Reason(verify.TimestampMissing):        {status: http.StatusUnauthorized},
	Reason(verify.TimestampOutOfTolerance): {status: http.StatusUnauthorized},
	ReasonVerificationUnavailable:          {status: http.StatusServiceUnavailable, retryAfter: 5 * time.Second},
	ReasonOverloaded:                       {status: http.StatusServiceUnavailable, retryAfter: time.Second},
	ReasonStoreUnavailable:                 {status: http.StatusServiceUnavailable, retryAfter: 5 * time.Second},
	ReasonStoreFull:                        {status: http.StatusServiceUnavailable, retryAfter: 30 * time.Second},
	ReasonNamespaceFull:                    {status: http.StatusServiceUnavailable, retryAfter: 30 * time.Second},
	ReasonExpressionFailed:                 unavailable,
	ReasonSuspended:                        {status: http.StatusServiceUnavailable, retryAfter: 30 * time.Second},
	ReasonInFlight:                         {status: http.StatusServiceUnavailable, retryAfter: 2 * time.Second},
	ReasonTargetBusy:                       {status: http.StatusServiceUnavailable, retryAfter: time.Second},
	ReasonTargetFailed:                     {status: http.StatusBadGateway},
	ReasonTargetTimeout:                    {status: http.StatusGatewayTimeout},
	ReasonInternal:                         {status: http.StatusInternalServerError},
	route.ReasonSecretUnavailable:          unavailable,
	route.ReasonNoTarget:                   unavailable,
	table.ReasonRouteInvalid:               unavailable,
}

var unavailable = presentation{status: http.StatusServiceUnavailable, retryAfter: 30 * time.Second}

// refuse counts and logs a refusal and makes its answer.
func (h *Handler) refuse(x *exchange, err error) *answer {
	refusal, ok := errors.AsType[*Refusal](err)
	if !ok {
		refusal = &Refusal{Reason: ReasonInternal, Detail: err.Error()}
	}
	shown, ok := presentations[refusal.Reason]
	if !ok {
		shown = unavailable
	}
	h.Metrics.Rejected(x.route(), string(refusal.Reason))
	x.reason = refusal.Reason
	h.logRejection(x, refusal, shown.status)
	reply := newAnswer(OutcomeRejected, shown.status, map[string]string{"error": string(refusal.Reason)})
	for name, values := range refusal.Header {
		reply.header[name] = values
	}
	if shown.retryAfter > 0 {
		reply.header.Set("Retry-After", strconv.Itoa(int(shown.retryAfter/time.Second)))
	}
	return reply
}
