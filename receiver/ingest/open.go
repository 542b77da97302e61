package ingest

import (
	"net/http"
	"strings"

	"github.com/postern-dev/postern/receiver/table"
)

// maxHeaders is how many headers a request may have. Providers send some
// twenty, proxies in front add as many.
const maxHeaders = 100

// open finds out what the request is for and whom it is from, has it count in
// the budget, and refuses what no request may look like. Whatever comes after
// it, refusals too, is counted until its answer has been taken.
func (h *Handler) open(x *exchange) (*answer, error) {
	x.client = h.clientOf(x.request)
	current := h.Tables()
	x.endpoint = lookup(current, x.request)
	x.holding = h.budget.holding(x)
	if !x.holding.take(headCost(x.request)) {
		x.holding = h.refusals.holding(x)
		if !x.holding.take(requestCost) {
			h.Metrics.Rejected(x.route(), string(ReasonOverloaded))
			panic(http.ErrAbortHandler)
		}
		return nil, &Refusal{Reason: ReasonOverloaded, Detail: detailOverloaded}
	}
	if current == nil {
		return nil, &Refusal{Reason: ReasonNotReady, Detail: "there is no table of endpoints yet"}
	}
	if headers(x.request.Header) > maxHeaders {
		return nil, &Refusal{Reason: ReasonTooManyHeaders}
	}
	// The server of HTTP/1 has seen to that; in HTTP/2 a path may hold a blank.
	if strings.ContainsFunc(x.request.RequestURI, endsRequestLine) {
		return nil, &Refusal{Reason: ReasonPathMalformed}
	}
	return nil, nil
}

const detailOverloaded = "the memory for requests under way, or the share of this endpoint, its namespace or the " +
	"client in it, is used up"

// lookup returns the endpoint that the request is for, nil if there is none.
// The path is compared as it was sent: an escaped spelling of a path is another path.
func lookup(current *table.Table, r *http.Request) *table.Endpoint {
	path := r.URL.Path
	if r.URL.RawPath != "" {
		path = r.URL.RawPath
	}
	endpoint, ok := current.Lookup(hostName(r.Host), path)
	if !ok {
		return nil
	}
	return endpoint
}

func headers(header http.Header) int {
	count := 0
	for _, values := range header {
		count += len(values)
	}
	return count
}

// endsRequestLine tells of blanks and control characters, which would make
// another request of the one that targets get.
func endsRequestLine(c rune) bool { return c <= ' ' || c == 0x7f }
