package deliver

import (
	"time"

	"github.com/postern-dev/postern/receiver/deliver/outbound"
	"github.com/postern-dev/postern/receiver/deliver/policy"
	"github.com/postern-dev/postern/receiver/event"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/route"
)

const (
	// minHandOver is the least number of events that a lane keeps in memory
	// for hand-over, so that a burst at a quick target is not sent to the store.
	minHandOver = 64
	// maxBatch bounds one claim.
	maxBatch = 128
)

// spec is what the current routes say about a lane.
type spec struct {
	endpoint    *route.Endpoint
	target      *route.Target
	destination *outbound.Destination
}

// blocked tells that nothing may be sent for now.
func (s *spec) blocked() bool { return s.endpoint.Suspend || s.target.Unavailable != nil }

// lane is the engine's side of one queue. The engine's mutex guards it.
type lane struct {
	id     queue.ID
	ref    Ref
	tenant *tenant
	spec   *spec

	// waiting are the leased events in memory; handed and claimed count them by
	// where they came from.
	waiting fifo[*job]
	handed  int
	claimed int
	// inFlight counts attempts, direct those of senders who wait.
	inFlight int
	direct   int
	// held are all events of the lane that this process has.
	held    held
	breaker policy.Breaker
	// countedOpen is set while the engine counts the breaker as open, reaching
	// while a connection is tried.
	countedOpen bool
	reaching    bool
	// quick is set while the target's last answer came quickly.
	quick bool

	// due is when the store must be asked for events; zero while it is not
	// known to have any.
	due time.Time
	// behind is set while the store has events that are due already.
	behind   bool
	claiming bool
	// barren counts claims in a row that found nothing of what was due.
	barren int
	// measured is set once the store was asked how much it holds. pending is what
	// it said last, or 1 when it has got something since.
	measured bool
	pending  int64
	// dead counts its dead letters then, and expiring is set while old ones are
	// given up.
	dead     int64
	expiring bool

	// ready is set while the lane stands in its tenant's line.
	ready bool
	// removed lanes have no target any more.
	removed bool
	// silent lanes are those whose removal observers were told of; observing guards it.
	silent bool
	// at and position belong to the timers.
	at       time.Time
	position int
}

// job is one event at one target, leased and in memory.
type job struct {
	lane   *lane
	spec   *spec
	event  *event.Event
	lease  queue.Lease
	memory *memory
	// expires is when the lease runs out if it is not renewed; lost is set when
	// it is somebody else's. The engine's mutex guards both.
	expires time.Time
	lost    bool
	// held, previous and next belong to the lane's list of leases.
	held           bool
	previous, next *job
	// handed tells hand-overs from claims.
	handed bool
	// unreadable is set when a newer version wrote the event.
	unreadable bool
	// probe is set on the one event that a breaker lets through.
	probe bool
	// span names the attempt under way to the target.
	span [8]byte
}

// every, unmeasured and holding pick lanes to ask the store about: all, those
// that it was never asked about, and those that had or may have got events.
func (l *lane) every() bool      { return true }
func (l *lane) unmeasured() bool { return !l.measured }
func (l *lane) holding() bool {
	return !l.measured || l.pending > 0 || l.dead > 0 && l.spec.endpoint.DeadMaxAgeSeconds > 0 ||
		l.behind || l.inFlight > 0 || l.waiting.len() > 0
}

// open tells whether events may pass freely.
func (l *lane) open() bool { return !l.removed && !l.spec.blocked() && l.breaker.Closed() }

// accepts tells whether an event that is admitted now would soon be delivered
// from memory. While the store has older events, they get at least as much room.
func (l *lane) accepts() bool {
	limit := max(4*l.spec.target.MaxInFlight, minHandOver)
	if l.behind {
		limit = l.spec.target.MaxInFlight
	}
	return l.open() && l.handed < limit
}

// runnable tells whether an attempt could begin now.
func (l *lane) runnable() bool {
	if l.waiting.len() == 0 || l.inFlight >= l.spec.target.MaxInFlight || l.removed {
		return false
	}
	return l.open() || (l.breaker.Probing() && l.waiting.items[l.waiting.head].probe)
}

func (l *lane) push(j *job) {
	l.waiting.push(j)
	l.count(j, 1)
}

func (l *lane) pop() *job {
	j := l.waiting.pop()
	l.count(j, -1)
	return j
}

func (l *lane) count(j *job, n int) {
	if j.handed {
		l.handed += n
	} else {
		l.claimed += n
	}
}

// takeAll empties the memory of the lane.
func (l *lane) takeAll() []*job {
	l.handed, l.claimed = 0, 0
	return l.waiting.takeAll()
}

// claimAt is when events should be claimed next; zero means not for now.
func (l *lane) claimAt() time.Time {
	switch {
	case l.removed, l.claiming, l.reaching, l.due.IsZero(), l.spec.blocked(), l.breaker.Probing():
		return time.Time{}
	case !l.breaker.Closed():
		return latest(l.due, l.breaker.Until())
	case 2*l.claimed > l.spec.target.MaxInFlight:
		return time.Time{}
	}
	return l.due
}

// batch is how many events a claim should ask for.
func (l *lane) batch() int {
	if !l.breaker.Closed() {
		return 1
	}
	return min(max(1, l.spec.target.MaxInFlight-l.claimed), maxBatch)
}

// age is how long the event has been tried for. A replay starts anew.
func (j *job) age(now time.Time) time.Duration {
	return now.Sub(latest(j.event.ReceivedAt, j.lease.Replayed))
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
