package ingest

import (
	"net"
	"net/http"
	"strings"
)

// find refuses requests that are for no endpoint.
func (h *Handler) find(x *exchange) (*answer, error) {
	if x.endpoint == nil {
		return nil, &Refusal{Reason: ReasonUnknownEndpoint}
	}
	return nil, nil
}

// hostName brings a Host header into the form of a route: lower case, no port,
// no trailing dot.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// checkMethod refuses methods that the source does not use.
func (h *Handler) checkMethod(x *exchange) (*answer, error) {
	if x.endpoint.Verifier == nil || x.endpoint.Accepts(x.request.Method) {
		return nil, nil
	}
	allow := strings.Join(x.endpoint.Methods, ", ")
	return nil, &Refusal{Reason: ReasonMethodNotAllowed, Header: http.Header{"Allow": {allow}}}
}

// checkAvailable refuses requests of an endpoint that cannot serve for now.
func (h *Handler) checkAvailable(x *exchange) (*answer, error) {
	if problem := x.route().Unavailable; problem != nil {
		return nil, &Refusal{Reason: Reason(problem.Reason), Detail: problem.Message}
	}
	return nil, nil
}

// limitRate refuses requests past the rate of the endpoint or of its namespace.
// What the endpoint's own limit refuses costs its namespace nothing.
func (h *Handler) limitRate(x *exchange) (*answer, error) {
	if limiter := x.endpoint.Limiter; limiter != nil && !limiter.AllowN(x.started, 1) {
		return nil, &Refusal{Reason: ReasonRateLimited}
	}
	if limiter := x.endpoint.Namespace.Limiter; limiter != nil && !limiter.AllowN(x.started, 1) {
		return nil, &Refusal{Reason: ReasonRateLimited, Detail: "the limit of the whole namespace is reached"}
	}
	return nil, nil
}
