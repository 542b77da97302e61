package deliver

import (
	"context"
	"time"

	"github.com/postern-dev/postern/receiver/deliver/policy"
	"github.com/postern-dev/postern/receiver/queue"
)

// absences tells since when this process knows that the routes do not name a
// queue, or an endpoint (with an empty target).
type absences map[queue.ID]time.Time

// cleanLoop removes what removed targets and deleted endpoints have left in
// the store, each after its grace. The grace begins anew when the process
// does: too late is harmless, too early is a loss.
func (e *Engine) cleanLoop(ctx context.Context) {
	interval := min(e.opts.RemovedGrace, e.opts.GoneGrace) / 2
	seen := absences{}
	for e.pause(interval + time.Duration(e.opts.Rand()*float64(interval)/4)) {
		cleaner := &cleaner{engine: e, before: seen, now: absences{}, at: time.Now()}
		if err := cleaner.clean(ctx); err != nil {
			e.storeFailed(err)
			continue
		}
		seen = cleaner.now
	}
}

// cleaner is one pass of the cleanLoop.
type cleaner struct {
	engine *Engine
	before absences
	now    absences
	at     time.Time
}

func (c *cleaner) clean(ctx context.Context) error {
	uids, err := c.engine.opts.Keeper.Endpoints(ctx)
	if err != nil {
		return err
	}
	for _, uid := range uids {
		if err := c.cleanEndpoint(ctx, uid); err != nil {
			return err
		}
	}
	return nil
}

func (c *cleaner) cleanEndpoint(ctx context.Context, uid string) error {
	loaded, exists, known := c.engine.knows(uid)
	switch {
	case !known || exists && !loaded:
		return nil
	case !exists:
		if !c.absent(queue.ID{EndpointUID: uid}, c.engine.opts.GoneGrace) {
			return nil
		}
		c.engine.opts.Logger.Info("Purged the events of a deleted endpoint", "uid", uid)
		return c.engine.opts.Keeper.Purge(ctx, uid)
	}
	targets, err := c.engine.opts.Keeper.Targets(ctx, uid)
	if err != nil {
		return err
	}
	for _, target := range targets {
		id := queue.ID{EndpointUID: uid, Target: target}
		if c.engine.named(id) || !c.absent(id, c.engine.opts.RemovedGrace) {
			continue
		}
		for c.engine.buryRemoved(id) {
		}
	}
	return nil
}

// absent notes that the routes do not name the queue, and tells whether that
// has been so for the whole grace.
func (c *cleaner) absent(id queue.ID, grace time.Duration) bool {
	since, ok := c.before[id]
	if !ok {
		since = c.at
	}
	c.now[id] = since
	return c.at.Sub(since) >= grace
}

// buryRemoved makes some events of a removed target dead letters and tells
// whether there may be more. Should the target come back meanwhile, the rest
// is left to it.
func (e *Engine) buryRemoved(id queue.ID) (more bool) {
	deliveries := e.claimFew(id)
	for _, delivery := range deliveries {
		ev := delivery.Event
		j := &job{
			lane:  removedLane(id, Ref{Namespace: ev.Namespace, Endpoint: ev.Endpoint, Target: id.Target}),
			event: ev,
			lease: delivery.Lease,
		}
		settlement := queue.Settlement{Outcome: queue.Release}
		if !e.named(id) {
			settlement = *e.bury(j, policy.ReasonTargetRemoved)
		}
		e.settle(j, settlement)
	}
	return len(deliveries) == sweepBatch && !e.named(id) && e.root.Err() == nil
}

func removedLane(id queue.ID, ref Ref) *lane {
	return &lane{id: id, ref: ref, removed: true, silent: true, position: unscheduled}
}

// knows tells what the table says about an endpoint; known is false before
// the first table, and while it is provisional.
func (e *Engine) knows(uid string) (loaded, exists, known bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	loaded, exists = e.endpoints[uid]
	return loaded, exists, e.endpoints != nil && !e.provisional
}

// named tells whether the routes name a queue's target.
func (e *Engine) named(id queue.ID) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.lanes[id] != nil
}
