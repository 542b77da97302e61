package ingest

import (
	"net/http"
	"net/netip"
	"sync"
)

const (
	// requestCost is what a request under way holds beside its headers and its
	// body: a goroutine, buffers and the server's own state.
	requestCost = 16 << 10
	// fieldCost is what a header holds beside its name and value.
	fieldCost = 96

	// An endpoint, a namespace and a client may each hold so many times what is
	// then still free: one alone at most a half, two thirds and four fifths of the
	// budget. So a newcomer always finds room, and one that shares its client's
	// address with a flood, behind a proxy, finds it too.
	endpointTimes, namespaceTimes, clientTimes = 1, 2, 4

	// refusalPart is the part of the budget that is kept for the answers to
	// requests that found no room in it.
	refusalPart = 8
)

// budget bounds the bytes that all requests under way hold. It never waits: a
// request that finds no room is refused and its sender tries again.
type budget struct {
	limit int64

	mu         sync.Mutex
	used       int64
	endpoints  share[string]
	namespaces share[string]
	clients    share[netip.Addr]
}

func newBudget(limit int64) *budget {
	return &budget{
		limit:      limit,
		endpoints:  share[string]{times: endpointTimes, held: map[string]int64{}},
		namespaces: share[string]{times: namespaceTimes, held: map[string]int64{}},
		clients:    share[netip.Addr]{times: clientTimes, held: map[netip.Addr]int64{}},
	}
}

// holding is what one request holds of a budget. All unknown paths are one
// endpoint of one namespace.
type holding struct {
	budget              *budget
	endpoint, namespace string
	client              netip.Addr
	bytes               int64
}

func (b *budget) holding(x *exchange) holding {
	h := holding{budget: b, client: ClientKey(x.client)}
	if r := x.route(); r != nil {
		h.endpoint, h.namespace = r.UID, r.Namespace
	}
	return h
}

// take adds bytes if there is room and all shares permit.
func (h *holding) take(bytes int64) bool {
	b := h.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	free := b.limit - b.used - bytes
	if free < 0 || !b.endpoints.permits(h.endpoint, bytes, free) ||
		!b.namespaces.permits(h.namespace, bytes, free) || !b.clients.permits(h.client, bytes, free) {
		return false
	}
	h.add(bytes)
	return true
}

// release gives bytes back.
func (h *holding) release(bytes int64) {
	if bytes == 0 {
		return
	}
	h.budget.mu.Lock()
	defer h.budget.mu.Unlock()
	h.add(-bytes)
}

// add wants the budget to be locked.
func (h *holding) add(bytes int64) {
	b := h.budget
	h.bytes += bytes
	b.used += bytes
	b.endpoints.add(h.endpoint, bytes)
	b.namespaces.add(h.namespace, bytes)
	b.clients.add(h.client, bytes)
}

// share is what each holder of one kind has.
type share[K comparable] struct {
	times int64
	held  map[K]int64
}

func (s *share[K]) permits(holder K, bytes, free int64) bool {
	return s.held[holder]+bytes <= s.times*free
}

func (s *share[K]) add(holder K, bytes int64) {
	if now := s.held[holder] + bytes; now > 0 {
		s.held[holder] = now
	} else {
		delete(s.held, holder)
	}
}

// headCost is what the head of a request holds.
func headCost(r *http.Request) int64 {
	cost := requestCost + len(r.RequestURI)
	for name, values := range r.Header {
		cost += len(name)
		for _, value := range values {
			cost += len(value) + fieldCost
		}
	}
	return int64(cost)
}
