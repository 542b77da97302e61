package deliver

import (
	"context"
	"slices"
	"time"

	"github.com/postern-dev/postern/receiver/deliver/policy"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/route"
)

// purgeAgain is how often what is left of a deleted endpoint is looked for in
// vain: a receiver that has not heard of the deletion may admit events for it.
const purgeAgain = time.Hour

// absences tells since when this process knows that the routes do not name a
// queue, or an endpoint (with an empty target).
type absences map[queue.ID]time.Time

// cleanLoop removes what removed targets and deleted endpoints have left in
// the store, each after its grace. The grace begins anew when the process
// does: too late is harmless, too early is a loss.
//
// That a table does not name something proves nothing, because the table may be
// old or another installation's. An endpoint ends by its tombstone and a target
// by a later route of its endpoint, and the API server is asked for either one
// before anything is written.
func (e *Engine) cleanLoop(ctx context.Context) {
	interval := min(e.opts.RemovedGrace, e.opts.GoneGrace) / 2
	seen := absences{}
	for e.pause(interval + time.Duration(e.opts.Rand()*float64(interval)/4)) {
		cleaner := &cleaner{engine: e, before: seen, now: absences{}, at: time.Now()}
		if err := cleaner.clean(ctx); err != nil {
			e.storeFailed(err, "")
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
	stored, err := c.engine.opts.Keeper.Endpoints(ctx)
	if err != nil {
		return err
	}
	if !c.engine.informed() {
		return nil
	}
	for _, uid := range c.engine.ended(stored, c.at) {
		if err := c.cleanDeleted(ctx, uid); err != nil {
			return err
		}
	}
	orphans := []string{}
	for _, uid := range stored {
		loaded, exists, deleted := c.engine.knows(uid)
		switch {
		case loaded:
			if err := c.cleanTargets(ctx, uid); err != nil {
				return err
			}
		case !exists && !deleted:
			orphans = append(orphans, uid)
		}
	}
	c.engine.noteOrphans(orphans)
	return nil
}

// cleanDeleted purges an endpoint whose tombstone has been known for its grace.
func (c *cleaner) cleanDeleted(ctx context.Context, uid string) error {
	e := c.engine
	if _, exists, _ := e.knows(uid); exists || !c.absent(queue.ID{EndpointUID: uid}, e.opts.GoneGrace) {
		return nil
	}
	if !e.confirmed(uid) {
		standing, err := e.opts.Current(ctx, uid)
		if err != nil || standing.Route != nil || !standing.Deleted {
			e.opts.Logger.Info("Events of a deleted endpoint are kept until the API server confirms its deletion",
				"uid", uid, "error", err)
			return nil
		}
	}
	if err := e.opts.Keeper.Purge(ctx, uid); err != nil {
		return err
	}
	if e.notePurged(uid, c.at) {
		e.opts.Logger.Info("Purged the events of a deleted endpoint", "uid", uid)
	}
	return nil
}

// cleanTargets buries what waits for targets that the endpoint has no more.
func (c *cleaner) cleanTargets(ctx context.Context, uid string) error {
	targets, err := c.engine.opts.Keeper.Targets(ctx, uid)
	if err != nil {
		return err
	}
	for _, target := range targets {
		id := queue.ID{EndpointUID: uid, Target: target}
		if c.engine.named(id) || !c.absent(id, c.engine.opts.RemovedGrace) {
			continue
		}
		for c.engine.buryRemoved(ctx, id) {
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
// whether there may be more. They are claimed first and the API server is asked
// then: a target that it does not name has been removed since each of them was
// admitted, whatever table admitted it.
func (e *Engine) buryRemoved(ctx context.Context, id queue.ID) (more bool) {
	deliveries := e.claimFew(id)
	removed := len(deliveries) > 0 && e.removed(ctx, id)
	for _, delivery := range deliveries {
		ev := delivery.Event
		j := &job{
			lane:  removedLane(id, Ref{Namespace: ev.Namespace, Endpoint: ev.Endpoint, Target: id.Target}),
			event: ev,
			lease: delivery.Lease,
		}
		settlement := queue.Settlement{Outcome: queue.Release}
		if removed {
			settlement = *e.bury(j, policy.ReasonTargetRemoved)
		}
		e.settle(j, settlement)
	}
	return removed && len(deliveries) == sweepBatch && e.root.Err() == nil
}

// removed asks the API server whether the endpoint has the target no more.
func (e *Engine) removed(ctx context.Context, id queue.ID) bool {
	standing, err := e.opts.Current(ctx, id.EndpointUID)
	if err != nil {
		e.opts.Logger.Info("Events of a removed target are kept until the API server confirms its removal",
			"uid", id.EndpointUID, "target", id.Target, "error", err)
		return false
	}
	return standing.Route != nil && !e.named(id) &&
		!slices.ContainsFunc(standing.Route.Targets, func(t route.Target) bool { return t.Name == id.Target })
}

func removedLane(id queue.ID, ref Ref) *lane {
	return &lane{id: id, ref: ref, removed: true, silent: true, position: unscheduled}
}

// tombstone is what this process knows of a deleted endpoint.
type tombstone struct {
	// purged is when its events were removed last; zero before the first time.
	purged time.Time
}

// SetTombstones replaces the UIDs of the endpoints that were deleted: their
// events are purged after GoneGrace, once the API server confirms it.
func (e *Engine) SetTombstones(uids []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	before := e.tombstones
	e.tombstones = make(map[string]tombstone, len(uids))
	for _, uid := range uids {
		e.tombstones[uid] = before[uid]
	}
}

// Purged returns the UIDs of deleted endpoints of which nothing is left here.
func (e *Engine) Purged() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	uids := []string{}
	for uid, t := range e.tombstones {
		if !t.purged.IsZero() {
			uids = append(uids, uid)
		}
	}
	slices.Sort(uids)
	return uids
}

// Orphans is how many endpoints the store has events of that have neither a
// route nor a tombstone. Their events are kept.
func (e *Engine) Orphans() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.orphans)
}

// informed tells whether the table says anything of what it does not name: not
// before the first one, and not while it is provisional.
func (e *Engine) informed() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.endpoints != nil && !e.provisional
}

// knows tells what is known of an endpoint: that it is loaded, that it exists,
// that it was deleted.
func (e *Engine) knows(uid string) (loaded, exists, deleted bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	loaded, exists = e.endpoints[uid]
	_, deleted = e.tombstones[uid]
	return loaded, exists, deleted
}

// ended lists the deleted endpoints that may have something in the store.
func (e *Engine) ended(stored []string, now time.Time) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var uids []string
	for uid, t := range e.tombstones {
		if now.Sub(t.purged) >= purgeAgain || slices.Contains(stored, uid) {
			uids = append(uids, uid)
		}
	}
	return uids
}

// confirmed tells that the API server has confirmed the deletion before. It is
// final: no endpoint gets the UID of another.
func (e *Engine) confirmed(uid string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return !e.tombstones[uid].purged.IsZero()
}

// notePurged notes that nothing of a deleted endpoint is left, and tells whether
// that is the first time.
func (e *Engine) notePurged(uid string, at time.Time) (first bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	t, known := e.tombstones[uid]
	if known {
		e.tombstones[uid] = tombstone{purged: at}
	}
	return known && t.purged.IsZero()
}

// noteOrphans remembers the orphans and logs each one once.
func (e *Engine) noteOrphans(uids []string) {
	e.mu.Lock()
	before := e.orphans
	e.orphans = uids
	e.mu.Unlock()
	for _, uid := range uids {
		if !slices.Contains(before, uid) {
			e.opts.Logger.Warn("The store has events of an endpoint without a route and without a tombstone, they are kept",
				"uid", uid)
		}
	}
}

// named tells whether the routes name a queue's target.
func (e *Engine) named(id queue.ID) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.lanes[id] != nil
}
