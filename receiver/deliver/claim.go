package deliver

import (
	"context"
	"time"

	"github.com/postern-dev/postern/receiver/deliver/policy"
	"github.com/postern-dev/postern/receiver/queue"
)

const (
	// maxClaims bounds the claims under way together.
	maxClaims = 8
	// headerAllowance is what an event may take in memory beyond its body.
	headerAllowance = 16 << 10
	// inHand is what an event takes until its outcome is stored, beyond itself: the
	// start of the answer, and what delivers it. Targets may answer quicker than the
	// store takes outcomes.
	inHand = 16 << 10
	// roomWait is how long a claim waits when memory is short.
	roomWait = 20 * time.Millisecond
	// barrenMin and barrenMax bound the wait after a claim that found nothing
	// although something was due: another replica was quicker, or the store's
	// clock is behind.
	barrenMin = 20 * time.Millisecond
	barrenMax = 5 * time.Second
	// idleWait is how long the loop sleeps when nothing is due.
	idleWait = time.Hour
)

// claimLoop claims from every queue when it is due.
func (e *Engine) claimLoop(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-e.claimSoon:
		}
		timer.Reset(e.startClaims())
	}
}

// startClaims begins the claims that are due and returns how long to wait.
func (e *Engine) startClaims() time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	for len(e.timers) > 0 && e.claims < maxClaims {
		l := e.timers[0]
		if wait := l.at.Sub(now); wait > 0 {
			return wait
		}
		e.startClaim(l, now)
	}
	return idleWait
}

// startClaim takes room for what a claim may bring, because how large events are
// shows only when they are here.
func (e *Engine) startClaim(l *lane, now time.Time) {
	if wait := e.away(l, now); wait > 0 {
		l.due = now.Add(wait)
		e.retime(l)
		return
	}
	if l.breaker.Unreached() {
		e.reach(l)
		return
	}
	if l.held.lapsed(now) {
		signal(e.renewSoon)
		l.due = now.Add(lapsedWait)
		e.retime(l)
		return
	}
	limit, bytes := e.claimable(l)
	if limit == 0 {
		l.due = now.Add(roomWait)
		e.retime(l)
		return
	}
	claim := &claim{
		engine: e, lane: l, limit: limit,
		room:  e.take(l.tenant, bytes, 1),
		probe: l.breaker.Probe(now),
	}
	for _, o := range e.outagesOf(l) {
		o.trying = true
	}
	l.claiming = true
	l.due = time.Time{}
	e.claims++
	e.retime(l)
	e.spawn(claim.run)
}

// claimable is how many events may be claimed, and the room that they may take.
func (e *Engine) claimable(l *lane) (limit int, bytes int64) {
	each, room := l.spec.endpoint.MaxBodyBytes+headerAllowance, e.room(l.tenant)
	limit = l.batch()
	// A claim returns no more than that, or one event.
	if bytes = max(each, queue.MaxClaimBytes); bytes <= room {
		return limit, min(bytes, int64(limit)*each)
	}
	limit = min(limit, int(room/each))
	if limit == 0 && l.tenant.bytes == 0 && e.used <= e.budget {
		limit = 1 // one event beyond the budget, rather than never
	}
	return limit, int64(limit) * each
}

// claim is one question to the store for due events of a lane.
type claim struct {
	engine *Engine
	lane   *lane
	limit  int
	room   *memory
	probe  bool
}

func (c *claim) run() {
	e := c.engine
	ctx, cancel := context.WithTimeout(e.root, storeTimeout)
	defer cancel()
	expires := time.Now().Add(e.opts.Lease)
	deliveries, err := e.opts.Worker.Claim(ctx, c.lane.id, c.limit, e.opts.Lease)
	// What was claimed is delivered even if something else went wrong.
	c.accept(deliveries, expires)
	if err != nil {
		e.storeFailed(err, c.lane.id.EndpointUID)
		c.finish(1, time.Now())
		return
	}
	e.storeAnswered(c.lane.id.EndpointUID)
	next := time.Now()
	if len(deliveries) < c.limit {
		depths, err := e.opts.Worker.Depths(ctx, []queue.ID{c.lane.id})
		if err != nil {
			e.storeFailed(err, c.lane.id.EndpointUID)
		} else {
			next = depths[0].NextDue
		}
	}
	c.finish(len(deliveries), next)
}

// accept puts claimed events into the lane. What it cannot take, because the
// lane changed meanwhile, is given back.
func (c *claim) accept(deliveries []queue.Delivery, expires time.Time) {
	e, l := c.engine, c.lane
	e.mu.Lock()
	defer e.mu.Unlock()
	e.leave(c.room)
	var refused []*job
	for _, delivery := range deliveries {
		j := &job{
			lane: l, event: delivery.Event, lease: delivery.Lease, expires: expires, probe: c.probe,
			unreadable: delivery.Unreadable,
			memory:     e.take(l.tenant, delivery.Event.Size()+inHand, 1),
		}
		if (l.open() || c.probe && !l.removed && !l.spec.blocked()) && e.phase != stopped && e.phase != stopping {
			e.hold(j)
			l.push(j)
			continue
		}
		refused = append(refused, j)
	}
	if c.probe && len(deliveries) == len(refused) {
		l.breaker.Abandon()
	}
	e.release(l, refused)
	e.wake(l)
}

// finish plans the lane's next claim: at next, when the store has something due.
func (c *claim) finish(found int, next time.Time) {
	e, l := c.engine, c.lane
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	e.claims--
	l.claiming = false
	l.behind = !next.IsZero() && !next.After(now)
	switch {
	case found > 0 || !l.behind:
		l.barren = 0
	default:
		next = now.Add(min(barrenMin<<min(l.barren, 10), barrenMax))
		l.barren++
	}
	e.noteDue(l, next)
	e.retime(l)
	signal(e.claimSoon)
}

// expired tells whether the event's time is over.
func (j *job) expired(now time.Time) bool {
	return policy.Expired(j.spec.endpoint.Retry, j.age(now))
}

// expiry is the reason of an event whose time is over.
func (j *job) expiry() string {
	if j.unreadable {
		return queue.ReasonUnknownVersion
	}
	return policy.ReasonExpired
}
