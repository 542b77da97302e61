package deliver

import (
	"container/heap"

	"github.com/postern-dev/postern/receiver/deliver/policy"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/route"
)

// SetRoutes replaces the endpoints that the engine delivers for. unloaded are
// the UIDs of endpoints that exist but that this process cannot load: their
// events are left alone.
//
// Nothing is ever sent to a target that the current routes do not name: events
// of a removed target wait for it during RemovedGrace and then become dead
// letters; those of a deleted endpoint are purged after GoneGrace.
//
// The first call must bring the complete table.
func (e *Engine) SetRoutes(endpoints []*route.Endpoint, unloaded ...string) {
	removed := e.setRoutes(endpoints, unloaded)
	for _, ref := range removed {
		e.opts.Observer.Removed(ref)
	}
}

func (e *Engine) setRoutes(endpoints []*route.Endpoint, unloaded []string) []Ref {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.endpoints = make(map[string]bool, len(endpoints)+len(unloaded))
	for _, uid := range unloaded {
		e.endpoints[uid] = false
	}
	wanted := make(map[queue.ID]bool, len(endpoints))
	for _, endpoint := range endpoints {
		e.endpoints[endpoint.UID] = true
		for i := range endpoint.Targets {
			id := queue.ID{EndpointUID: endpoint.UID, Target: endpoint.Targets[i].Name}
			wanted[id] = true
			e.setLane(id, endpoint, &endpoint.Targets[i])
		}
	}
	var removed []Ref
	for id, l := range e.lanes {
		if !wanted[id] {
			e.removeLane(l)
			removed = append(removed, l.ref)
		}
	}
	signal(e.scanSoon)
	return removed
}

// setLane makes the lane of a target or gives it its new spec.
func (e *Engine) setLane(id queue.ID, endpoint *route.Endpoint, target *route.Target) {
	l := e.lanes[id]
	if l != nil && l.spec.endpoint == endpoint {
		return
	}
	next := e.spec(endpoint, target)
	if l == nil {
		l = &lane{
			id: id, spec: next, position: unscheduled, tenant: e.tenant(endpoint.Namespace),
			ref: Ref{Namespace: endpoint.Namespace, Endpoint: endpoint.Name, Target: target.Name},
		}
		l.tenant.lanes++
		e.lanes[id] = l
		return
	}
	if next.destination.Address() != l.spec.destination.Address() {
		// What was learned about the old address does not hold for the new one.
		l.breaker = policy.Breaker{}
	}
	l.spec = next
	if !l.open() {
		e.flush(l)
	}
	e.retime(l)
	e.wake(l)
}

func (e *Engine) spec(endpoint *route.Endpoint, target *route.Target) *spec {
	return &spec{
		endpoint:    endpoint,
		target:      target,
		destination: e.opts.Network.Destination(target),
		breaker: policy.BreakerSettings{
			Threshold:  e.opts.BreakerThreshold,
			MaxBackoff: e.opts.BreakerMaxBackoff,
			Retry:      endpoint.Retry,
		},
	}
}

func (e *Engine) tenant(name string) *tenant {
	t := e.tenants[name]
	if t == nil {
		t = &tenant{name: name}
		e.tenants[name] = t
	}
	return t
}

// removeLane forgets a lane. Attempts under way end on their own; what waits
// is given back.
func (e *Engine) removeLane(l *lane) {
	e.flush(l)
	l.removed = true
	if l.position != unscheduled {
		heap.Remove(&e.timers, l.position)
	}
	delete(e.lanes, l.id)
	l.tenant.lanes--
	if l.tenant.lanes == 0 {
		delete(e.tenants, l.tenant.name)
	}
}
