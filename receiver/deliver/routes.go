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
// letters, once the API server confirms that it was removed. Those of an endpoint
// that is not named are kept; see [Engine.SetTombstones].
//
// The table must be complete; see [Engine.SetProvisionalRoutes] for one that may not be.
func (e *Engine) SetRoutes(endpoints []*route.Endpoint, unloaded ...string) {
	e.replaceRoutes(endpoints, unloaded, false)
}

// SetProvisionalRoutes is SetRoutes with a table that may be older than the
// events in the store: those of endpoints and targets that it does not name are
// left alone until a table comes that is not provisional.
func (e *Engine) SetProvisionalRoutes(endpoints []*route.Endpoint, unloaded ...string) {
	e.replaceRoutes(endpoints, unloaded, true)
}

func (e *Engine) replaceRoutes(endpoints []*route.Endpoint, unloaded []string, provisional bool) {
	e.observing.Lock()
	defer e.observing.Unlock()
	changes := e.setRoutes(endpoints, unloaded, provisional)
	for _, l := range changes.removed {
		l.silent = true
		if !changes.named[l.ref] {
			e.opts.Observer.Removed(l.ref)
		}
	}
	for _, l := range changes.moved {
		e.opts.Observer.BreakerChanged(l.ref, false)
	}
}

// changes are what observers must know of a new table.
type changes struct {
	removed []*lane
	// moved lanes have a new address, and their open breaker is forgotten.
	moved []*lane
	// named are the lanes that exist; another endpoint may have a removed one's name.
	named map[Ref]bool
}

func (e *Engine) setRoutes(endpoints []*route.Endpoint, unloaded []string, provisional bool) changes {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.provisional = provisional
	e.endpoints = make(map[string]bool, len(endpoints)+len(unloaded))
	for _, uid := range unloaded {
		e.endpoints[uid] = false
	}
	made := changes{named: make(map[Ref]bool, len(endpoints))}
	wanted := make(map[queue.ID]bool, len(endpoints))
	for _, endpoint := range endpoints {
		e.endpoints[endpoint.UID] = true
		for i := range endpoint.Targets {
			id := queue.ID{EndpointUID: endpoint.UID, Target: endpoint.Targets[i].Name}
			wanted[id] = true
			if l := e.setLane(id, endpoint, &endpoint.Targets[i]); l != nil {
				made.moved = append(made.moved, l)
			}
			made.named[e.lanes[id].ref] = true
		}
	}
	for id, l := range e.lanes {
		if !wanted[id] {
			e.removeLane(l)
			made.removed = append(made.removed, l)
		}
	}
	signal(e.scanSoon)
	return made
}

// setLane makes the lane of a target or gives it its new spec. It returns the
// lane when that closed an open breaker.
func (e *Engine) setLane(id queue.ID, endpoint *route.Endpoint, target *route.Target) (moved *lane) {
	l := e.lanes[id]
	if l != nil && l.spec.endpoint == endpoint {
		return nil
	}
	next := e.spec(endpoint, target)
	if l == nil {
		e.addLane(id, next)
		return nil
	}
	if next.destination.Address() != l.spec.destination.Address() {
		// What was learned about the old address does not hold for the new one.
		if !l.breaker.Closed() {
			moved = l
		}
		l.breaker = policy.Breaker{}
		e.countOpen(l)
	}
	l.spec = next
	if !l.open() {
		e.flush(l)
	}
	e.retime(l)
	e.wake(l)
	return moved
}

func (e *Engine) addLane(id queue.ID, spec *spec) {
	l := &lane{
		id: id, spec: spec, position: unscheduled, tenant: e.tenant(spec.endpoint.Namespace),
		ref: Ref{Namespace: spec.endpoint.Namespace, Endpoint: spec.endpoint.Name, Target: id.Target},
	}
	l.tenant.lanes++
	e.lanes[id] = l
}

func (e *Engine) spec(endpoint *route.Endpoint, target *route.Target) *spec {
	return &spec{
		endpoint:    endpoint,
		target:      target,
		destination: e.opts.Network.Destination(target),
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
	e.countOpen(l)
	if l.position != unscheduled {
		heap.Remove(&e.timers, l.position)
	}
	delete(e.lanes, l.id)
	l.tenant.lanes--
	if l.tenant.lanes == 0 {
		delete(e.tenants, l.tenant.name)
	}
}
