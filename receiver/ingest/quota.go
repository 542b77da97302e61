package ingest

import "context"

// Quota bounds what each namespace has in the store.
type Quota interface {
	// Full says whether the namespace has as much there as it may. It may wait a
	// second for an answer that is true.
	Full(ctx context.Context, namespace string) bool
	// Stored is told of every event that was admitted, with its size in bytes.
	Stored(endpointUID string, size int64)
}

type unlimited struct{}

func (unlimited) Full(context.Context, string) bool { return false }
func (unlimited) Stored(string, int64)              {}

// checkQuota refuses new events of a namespace that has its share of the store.
// It comes after verification: nobody else learns how full a namespace is.
func (h *Handler) checkQuota(x *exchange) (*answer, error) {
	if h.Quota.Full(x.request.Context(), x.route().Namespace) {
		return nil, &Refusal{Reason: ReasonNamespaceFull, Detail: "the namespace has its share of the store"}
	}
	return nil, nil
}
