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
)

// Options configure a [Keeper]. Store is required.
type Options struct {
	Store queue.Sizer
	// MaxBytes is what each namespace may have in the store; 0 is no limit.
	MaxBytes int64
	// Measured, if set, is told what a namespace has; 0 when it has no endpoints
	// any more.
	Measured func(namespace string, bytes int64)
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

	mu sync.RWMutex
	// accounts are by endpoint, namespaces by name.
	accounts   map[string]*account
	namespaces map[string]*namespace
}

// namespace is what the endpoints of one namespace have together.
type namespace struct {
	name      string
	used      atomic.Int64
	endpoints int
}

// account is one endpoint's.
type account struct {
	uid       string
	namespace *namespace
	// added is what this process admitted since the last measurement.
	added atomic.Int64
	// measured and at are the last measurement; only the measuring loop writes
	// them, under the lock.
	measured int64
	at       time.Time
}

// NewKeeper makes a Keeper that knows no endpoint yet.
func NewKeeper(options Options) *Keeper {
	if options.Measured == nil {
		options.Measured = func(string, int64) {}
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	refresh := 2 * time.Second
	if options.MaxBytes == 0 {
		refresh = 15 * time.Second // for people who watch
	}
	return &Keeper{
		options: options, refresh: refresh, near: make(chan struct{}, 1),
		accounts: map[string]*account{}, namespaces: map[string]*namespace{},
	}
}

// SetRoutes makes routes the known endpoints. Those that went no longer count:
// their events are being removed.
func (k *Keeper) SetRoutes(routes []*route.Endpoint) {
	k.mu.Lock()
	defer k.mu.Unlock()
	current := make(map[string]bool, len(routes))
	for _, r := range routes {
		current[r.UID] = true
		if k.accounts[r.UID] == nil {
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
	k.accounts[r.UID] = &account{uid: r.UID, namespace: shared}
}

// close ends an account; the caller holds the lock.
func (k *Keeper) close(a *account) {
	delete(k.accounts, a.uid)
	a.namespace.used.Add(-a.measured - a.added.Load())
	if a.namespace.endpoints--; a.namespace.endpoints == 0 {
		delete(k.namespaces, a.namespace.name)
		k.options.Measured(a.namespace.name, 0)
	}
}

// Full says whether the namespace has as much in the store as it may.
func (k *Keeper) Full(name string) bool {
	if k.options.MaxBytes == 0 || k.blind.Load() {
		return false
	}
	k.mu.RLock()
	defer k.mu.RUnlock()
	shared := k.namespaces[name]
	return shared != nil && shared.used.Load() >= k.options.MaxBytes
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
	if k.isNear(a.namespace.used.Add(size)) {
		select {
		case k.near <- struct{}{}:
		default: // one is asked for already
		}
	}
}

// isNear says whether a measurement must tell how much of it is still there,
// before requests are refused for events that were delivered long ago.
func (k *Keeper) isNear(used int64) bool {
	return k.options.MaxBytes > 0 && used >= k.options.MaxBytes/4*3
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
		case <-near:
			k.measure(ctx, k.crowded())
			near = nil
			pause.Reset(urgent)
		case <-pause.C:
			near = k.near
		}
	}
}
