// Package traffic counts, for each endpoint, what people want to see at a
// glance: what is pending, what is dead, when the last event came, how long
// deliveries take. The manager asks for it and writes it into statuses.
//
// It imports route, queue and deliver, whose observer it is.
package traffic

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/postern-dev/postern/receiver/deliver"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/route"
)

// Endpoint is how one endpoint does, as /traffic tells it.
type Endpoint struct {
	UID     string `json:"uid"`
	Pending int64  `json:"pending"`
	Dead    int64  `json:"dead"`
	// LastEventAt is when this process accepted an event last; zero if it has not.
	LastEventAt time.Time `json:"lastEventAt,omitzero"`
	// DeliveryP99Millis is the time from received to delivered that 99 % of the
	// last hour's deliveries of this process kept; nil without any.
	DeliveryP99Millis *int64 `json:"deliveryP99Millis,omitempty"`
}

// Counter counts; its zero value does not work, make it with [New]. All methods
// may be called concurrently.
type Counter struct {
	now func() time.Time

	mu        sync.RWMutex
	endpoints map[name]*endpoint
}

type name struct{ namespace, endpoint string }

type endpoint struct {
	mu        sync.Mutex
	targets   map[string]queue.Depth
	lastEvent time.Time
	latencies window
}

var _ deliver.Observer = (*Counter)(nil)

// New returns a Counter; now tells the time, nil means time.Now.
func New(now func() time.Time) *Counter {
	if now == nil {
		now = time.Now
	}
	return &Counter{now: now, endpoints: map[name]*endpoint{}}
}

// of returns the endpoint's counts, new ones if there are none.
func (c *Counter) of(key name) *endpoint {
	c.mu.RLock()
	known := c.endpoints[key]
	c.mu.RUnlock()
	if known != nil {
		return known
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.endpoints[key] == nil {
		c.endpoints[key] = &endpoint{targets: map[string]queue.Depth{}}
	}
	return c.endpoints[key]
}

// Accepted counts one event.
func (c *Counter) Accepted(of *route.Endpoint) {
	e := c.of(name{of.Namespace, of.Name})
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lastEvent = c.now()
}

// Attempted implements [deliver.Observer]: it measures what was delivered.
func (c *Counter) Attempted(report deliver.Report) {
	if report.Result != deliver.ResultDelivered || report.Event == nil {
		return
	}
	now := c.now()
	e := c.of(name{report.Ref.Namespace, report.Ref.Endpoint})
	e.mu.Lock()
	defer e.mu.Unlock()
	e.latencies.add(now, now.Sub(report.Event.ReceivedAt))
}

// Measured implements [deliver.Observer].
func (c *Counter) Measured(ref deliver.Ref, depth queue.Depth) {
	e := c.of(name{ref.Namespace, ref.Endpoint})
	e.mu.Lock()
	defer e.mu.Unlock()
	e.targets[ref.Target] = depth
}

// DeadExpired implements [deliver.Observer].
func (c *Counter) DeadExpired(deliver.Ref, int) {}

// BreakerChanged implements [deliver.Observer].
func (c *Counter) BreakerChanged(deliver.Ref, bool) {}

// Removed implements [deliver.Observer].
func (c *Counter) Removed(ref deliver.Ref) {
	e := c.of(name{ref.Namespace, ref.Endpoint})
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.targets, ref.Target)
}

// Of tells how the given endpoints do, by uid, and forgets the others.
func (c *Counter) Of(routes []*route.Endpoint) []Endpoint {
	told := make([]Endpoint, 0, len(routes))
	current := make(map[name]bool, len(routes))
	for _, loaded := range routes {
		key := name{loaded.Namespace, loaded.Name}
		current[key] = true
		told = append(told, c.of(key).tell(loaded.UID, c.now()))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for key := range c.endpoints {
		if !current[key] {
			delete(c.endpoints, key)
		}
	}
	slices.SortFunc(told, func(a, b Endpoint) int { return cmp.Compare(a.UID, b.UID) })
	return told
}

func (e *endpoint) tell(uid string, now time.Time) Endpoint {
	e.mu.Lock()
	defer e.mu.Unlock()
	told := Endpoint{UID: uid, LastEventAt: e.lastEvent.UTC()}
	if e.lastEvent.IsZero() {
		told.LastEventAt = time.Time{}
	}
	for _, depth := range e.targets {
		told.Pending += depth.Pending
		told.Dead += depth.Dead
	}
	if p99, ok := e.latencies.quantile(now, 0.99); ok {
		millis := p99.Milliseconds()
		told.DeliveryP99Millis = &millis
	}
	return told
}
