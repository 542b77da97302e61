package quota

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/route"
)

const (
	// tick is how often it is looked which endpoints are due to be measured.
	tick = time.Second
	// batch is how many endpoints one question names, batches how many questions
	// one tick may cost the store.
	batch   = 100
	batches = 5
	// idle is how often an endpoint that holds nothing is measured: another
	// replica may have admitted something.
	idle = 30 * time.Second
	// urgent is how soon a namespace near its limit is measured again.
	urgent = 100 * time.Millisecond
	// patience is how long a request waits for the measurement that refuses it.
	patience = time.Second
)

// Parts of the limit: above nearPart a namespace is measured often, above
// yieldPart its history gives way down to lowPart, and above forgetPart its marks.
const (
	nearPart, lowPart, yieldPart, forgetPart = 0.75, 0.7, 0.85, 0.9
)

// Options configure a [Keeper]. Store is required.
type Options struct {
	Store queue.Sizer
	// MaxBytes is what each namespace may have in the store; 0 is no limit.
	MaxBytes int64
	// Measured, if set, is told what a namespace has; 0 when it has no endpoints
	// any more.
	Measured func(namespace string, bytes int64)
	// Remembered, if set, is told for each endpoint how far back copies of its
	// events are recognised.
	Remembered func(endpoint *route.Endpoint, window time.Duration)
	// Logger is for people; nil discards.
	Logger *slog.Logger
}

// Keeper keeps the accounts. All methods may be called concurrently.
type Keeper struct {
	options Options
	// refresh is how often an endpoint that holds something is measured.
	refresh time.Duration
	// near asks for a measurement of the namespaces that are near their limit.
	near chan struct{}
	// blind is set while measuring fails: what was only ever added up refuses nobody.
	blind atomic.Bool

	// round is closed, and replaced, when a measurement ends.
	round atomic.Pointer[chan struct{}]

	mu sync.RWMutex
	// accounts are by endpoint, namespaces by name.
	accounts   map[string]*account
	namespaces map[string]*namespace
}

// namespace is what the endpoints of one namespace have together.
type namespace struct {
	name string
	// used is all that it has, kept what must be kept of that. What was admitted
	// since the last measurement counts in both.
	used, kept atomic.Int64
	// at is when all of it was measured last, in Unix nanoseconds, and full what
	// came of it.
	at        atomic.Int64
	full      atomic.Bool
	endpoints int
}

// account is one endpoint's.
type account struct {
	uid       string
	route     *route.Endpoint
	namespace *namespace
	// added is what this process admitted since the last measurement.
	added atomic.Int64
	// measured and at are the last measurement; only the measuring loop writes
	// them, under the lock.
	measured queue.Usage
	at       time.Time
}

// NewKeeper makes a Keeper that knows no endpoint yet.
func NewKeeper(options Options) *Keeper {
	if options.Measured == nil {
		options.Measured = func(string, int64) {}
	}
	if options.Remembered == nil {
		options.Remembered = func(*route.Endpoint, time.Duration) {}
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	refresh := 2 * time.Second
	if options.MaxBytes == 0 {
		refresh = 15 * time.Second // for people who watch
	}
	k := &Keeper{
		options: options, refresh: refresh, near: make(chan struct{}, 1),
		accounts: map[string]*account{}, namespaces: map[string]*namespace{},
	}
	k.round.Store(new(make(chan struct{})))
	return k
}

// SetRoutes makes routes the known endpoints. Those that went no longer count:
// their events are being removed.
func (k *Keeper) SetRoutes(routes []*route.Endpoint) {
	k.mu.Lock()
	defer k.mu.Unlock()
	current := make(map[string]bool, len(routes))
	for _, r := range routes {
		current[r.UID] = true
		if a := k.accounts[r.UID]; a != nil {
			a.route = r
		} else {
			k.open(r)
		}
	}
	for uid, a := range k.accounts {
		if !current[uid] {
			k.close(a)
		}
	}
}

// open begins an account; the caller holds the lock.
func (k *Keeper) open(r *route.Endpoint) {
	shared := k.namespaces[r.Namespace]
	if shared == nil {
		shared = &namespace{name: r.Namespace}
		k.namespaces[r.Namespace] = shared
	}
	shared.endpoints++
	k.accounts[r.UID] = &account{uid: r.UID, route: r, namespace: shared}
}

// close ends an account; the caller holds the lock.
func (k *Keeper) close(a *account) {
	delete(k.accounts, a.uid)
	added := a.added.Load()
	a.namespace.used.Add(-a.measured.Total() - added)
	a.namespace.kept.Add(-a.measured.Kept - added)
	if a.namespace.endpoints--; a.namespace.endpoints == 0 {
		delete(k.namespaces, a.namespace.name)
		k.options.Measured(a.namespace.name, 0)
	}
}

// Full says whether as much of the namespace must be kept in the store as it may
// have. A sum that says so waits for a measurement: what was added up may have
// been delivered since.
func (k *Keeper) Full(ctx context.Context, name string) bool {
	shared := k.namespace(name)
	if shared == nil || !k.exceeded(shared) {
		return false
	}
	if shared.full.Load() && time.Since(time.Unix(0, shared.at.Load())) < urgent {
		return true
	}
	patient, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	round := *k.round.Load()
	k.measureSoon()
	select {
	case <-round:
	case <-patient.Done():
	}
	return k.exceeded(shared)
}

func (k *Keeper) namespace(name string) *namespace {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.namespaces[name]
}

func (k *Keeper) exceeded(shared *namespace) bool {
	return k.options.MaxBytes > 0 && !k.blind.Load() && shared.kept.Load() >= k.options.MaxBytes
}

// Stored adds an event to the account of its endpoint.
func (k *Keeper) Stored(endpointUID string, size int64) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	a := k.accounts[endpointUID]
	if a == nil {
		return
	}
	a.added.Add(size)
	a.namespace.kept.Add(size)
	if k.isNear(a.namespace.used.Add(size)) {
		k.measureSoon()
	}
}

func (k *Keeper) measureSoon() {
	select {
	case k.near <- struct{}{}:
	default: // one is asked for already
	}
}

// isNear says whether a measurement must tell how much of it is still there,
// before requests are refused for events that were delivered long ago.
func (k *Keeper) isNear(used int64) bool {
	return k.options.MaxBytes > 0 && float64(used) >= nearPart*float64(k.options.MaxBytes)
}

// Run measures until ctx ends.
func (k *Keeper) Run(ctx context.Context) {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	pause := time.NewTimer(0)
	defer pause.Stop()
	<-pause.C
	near := k.near
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			k.measure(ctx, k.due(time.Now()))
			if len(k.swollen()) > 0 {
				k.measureSoon()
			}
		case <-near:
			k.measureCrowded(ctx)
			near = nil
			pause.Reset(urgent)
		case <-pause.C:
			near = k.near
		}
	}
}
