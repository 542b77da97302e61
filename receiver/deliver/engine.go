package deliver

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/postern-dev/postern/receiver/deliver/outbound"
	"github.com/postern-dev/postern/receiver/logsample"
	"github.com/postern-dev/postern/receiver/queue"
)

// phase is where the engine stands in its life.
type phase int

const (
	created phase = iota
	running
	// draining takes nothing new.
	draining
	// stopping gives leases back.
	stopping
	stopped
)

// Engine delivers events; make one with [New].
type Engine struct {
	opts   Options
	client *outbound.Client
	// sampler keeps deaths from flooding the log.
	sampler *logsample.Sampler

	// claimSoon, scanSoon and renewSoon wake the loops of the same names.
	claimSoon chan struct{}
	scanSoon  chan struct{}
	renewSoon chan struct{}
	loops     sync.WaitGroup
	// work is taken by goroutines that have none; spare counts them.
	work  chan func()
	spare atomic.Int32

	// root ends everything, attempts ends attempts only; both are set by Start.
	root           context.Context
	stop           context.CancelFunc
	attempts       context.Context
	cancelAttempts context.CancelFunc

	// observing orders what is told of a lane and that it is removed. It is
	// taken before mu.
	observing sync.RWMutex

	// mu guards everything below, lanes and tenants included. It is never held
	// during a call to the store, to a target or to the observer.
	mu      sync.Mutex
	phase   phase
	lanes   map[queue.ID]*lane
	tenants map[string]*tenant
	// holders are the lanes that have, or had, leases.
	holders map[*lane]struct{}
	// endpoints holds the UIDs that exist, true for those that are loaded; nil
	// before the first table. provisional tables say nothing of what they do not name.
	provisional bool
	endpoints   map[string]bool
	// tombstones are the deleted endpoints by UID, orphans those that the store
	// knows and that are neither deleted nor in the table.
	tombstones map[string]tombstone
	orphans    []string
	line       fifo[*tenant]
	// opened counts the open breakers.
	opened int
	timers timers
	// outages are the places where the store is away.
	outages map[place]*outage
	// used is what the events in memory take of the budget.
	used, budget int64
	maxInFlight  int
	// returns wait to be given back to the store, releasing counts who does it.
	returns   fifo[*job]
	releasing int
	// doubts are leases that may be there, or not; doubted counts them, with those
	// that the store is just asked about, and resolving is set while it is.
	doubts    []doubt
	doubted   int
	resolving bool
	// inFlight counts attempts, claims claims, and busy everything that must
	// end before a drain is over.
	inFlight int
	claims   int
	busy     int
	// emptied is set while a drain knows that the store has nothing left.
	emptied bool
	drained chan struct{}
}

// New returns an engine that does nothing until it is started.
func New(opts Options) *Engine {
	opts = opts.withDefaults()
	client := outbound.NewClient(opts.Network)
	if opts.Transport != nil {
		client = outbound.NewClientWith(opts.Transport)
	}
	return &Engine{
		opts:      opts,
		client:    client,
		sampler:   logsample.New(time.Now),
		claimSoon: make(chan struct{}, 1),
		scanSoon:  make(chan struct{}, 1),
		renewSoon: make(chan struct{}, 1),
		work:      make(chan func()),
		lanes:     map[queue.ID]*lane{},
		tenants:   map[string]*tenant{},
		holders:   map[*lane]struct{}{},
		outages:   map[place]*outage{},
		budget:    opts.MemoryBudgetBytes,
		drained:   make(chan struct{}),

		maxInFlight: opts.MaxInFlight,
	}
}

// Start begins to deliver and returns at once. When ctx is cancelled
// everything stops on the spot and leases run out by themselves; call
// [Engine.Drain] first to stop in order.
func (e *Engine) Start(ctx context.Context) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.phase != created {
		return
	}
	e.phase = running
	e.root, e.stop = context.WithCancel(ctx)
	e.attempts, e.cancelAttempts = context.WithCancel(e.root)
	e.loops.Go(func() { e.claimLoop(e.root) })
	e.loops.Go(func() { e.scanLoop(e.root) })
	e.loops.Go(func() { e.renewLoop(e.root) })
	if e.opts.Keeper != nil && e.opts.Current != nil {
		e.loops.Go(func() { e.cleanLoop(e.root) })
	}
	e.loops.Go(func() {
		<-e.root.Done()
		e.halt()
	})
	for _, l := range e.lanes {
		e.retime(l)
	}
	e.dispatch()
}

// halt forgets what is in memory; the leases run out.
func (e *Engine) halt() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.phase = stopped
	for _, l := range e.lanes {
		for _, j := range l.takeAll() {
			e.drop(j)
		}
	}
	e.client.Close()
}

// Wait returns when everything that the engine started has ended.
func (e *Engine) Wait() { e.loops.Wait() }

// maxSpare is how many goroutines wait for work.
const maxSpare = 64

// spawn runs work that a drain waits for. The caller holds the mutex.
func (e *Engine) spawn(work func()) {
	e.busy++
	select {
	case e.work <- work:
	default:
		e.loops.Go(func() { e.run(work) })
	}
}

// run does one piece of work after the other: a goroutine whose stack has grown
// is worth more than a new one.
func (e *Engine) run(work func()) {
	for {
		work()
		e.despawn()
		if e.spare.Add(1) > maxSpare {
			e.spare.Add(-1)
			return
		}
		select {
		case work = <-e.work:
			e.spare.Add(-1)
		case <-e.root.Done():
			return
		}
	}
}

func (e *Engine) despawn() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.busy--
	e.checkDrained()
}

// dispatch begins every attempt that may begin now. The caller holds the mutex.
func (e *Engine) dispatch() {
	for (e.phase == running || e.phase == draining) && e.inFlight < e.maxInFlight {
		j := e.next()
		if j == nil {
			return
		}
		j.spec = j.lane.spec
		if !j.handed {
			e.retime(j.lane)
		}
		e.spawn(func() { e.deliver(j) })
	}
}

// wake lets a lane run after a change of its state. The caller holds the mutex.
func (e *Engine) wake(l *lane) {
	e.enqueue(l)
	e.dispatch()
}
