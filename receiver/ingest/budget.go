package ingest

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"
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

// budget bounds the bytes that all requests under way hold.
type budget struct {
	mu          sync.Mutex
	limit, used int64
	endpoints   share[string]
	namespaces  share[string]
	clients     share[netip.Addr]
	// waiting are those that want room and found none, the first to come first.
	waiting []*waiter
}

// waiter is a request that waits for room; granted is closed when it has it.
type waiter struct {
	holding *holding
	bytes   int64
	granted chan struct{}
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
// endpoint of one namespace. The budget's mutex guards bytes.
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

// resize changes how much there is for all.
func (b *budget) resize(limit int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.limit = limit
	b.serve()
}

// take adds bytes if there is room and all shares permit. It never waits.
func (h *holding) take(bytes int64) bool {
	h.budget.mu.Lock()
	defer h.budget.mu.Unlock()
	return h.takeLocked(bytes)
}

func (h *holding) takeLocked(bytes int64) bool {
	b := h.budget
	free := b.limit - b.used - bytes
	if free < 0 || !b.endpoints.permits(h.endpoint, bytes, free) ||
		!b.namespaces.permits(h.namespace, bytes, free) || !b.clients.permits(h.client, bytes, free) {
		return false
	}
	h.add(bytes)
	return true
}

// await is take for a request that waits for others to give room back. It does
// not wait for more than an endpoint may ever have, nor when many wait already.
func (h *holding) await(ctx context.Context, bytes int64, patience time.Duration) bool {
	b := h.budget
	b.mu.Lock()
	if h.takeLocked(bytes) {
		b.mu.Unlock()
		return true
	}
	if bytes > endpointTimes*(b.limit-bytes) || int64(len(b.waiting)) >= b.limit/unreadBytes {
		b.mu.Unlock()
		return false
	}
	one := &waiter{holding: h, bytes: bytes, granted: make(chan struct{})}
	b.waiting = append(b.waiting, one)
	b.mu.Unlock()

	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-one.granted:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if at := slices.Index(b.waiting, one); at >= 0 {
		b.waiting = slices.Delete(b.waiting, at, at+1)
		return false
	}
	return true
}

// serve gives room to those that wait, in the order in which they came. One that
// its share does not permit does not hold up those of others. It wants the budget
// to be locked.
func (b *budget) serve() {
	b.waiting = slices.DeleteFunc(b.waiting, func(one *waiter) bool {
		if !one.holding.takeLocked(one.bytes) {
			return false
		}
		close(one.granted)
		return true
	})
}

// release gives bytes back.
func (h *holding) release(bytes int64) {
	if bytes == 0 {
		return
	}
	h.budget.mu.Lock()
	defer h.budget.mu.Unlock()
	h.add(-bytes)
	h.budget.serve()
}

// end gives everything back. A holding that never took anything has no budget.
func (h *holding) end() {
	if h.budget == nil {
		return
	}
	h.budget.mu.Lock()
	defer h.budget.mu.Unlock()
	h.add(-h.bytes)
	h.budget.serve()
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
