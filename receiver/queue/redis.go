package queue

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
)

// Defaults of [Options].
const (
	// DefaultStepTimeout bounds one step of the store. Senders give three
	// seconds, and a refusal in time is worth more than a late success.
	DefaultStepTimeout = 2500 * time.Millisecond
	// DefaultWatermark is the part of memory or volume above which nothing is
	// admitted, so that delivering has room to write.
	DefaultWatermark = 0.8
	// defaultPoll is how often the state of the store is read.
	defaultPoll = time.Second
)

// Options configure a [Redis] store.
type Options struct {
	// URL is unix:///path, redis:// or rediss://, with addr= for more nodes of a
	// Cluster, or of Sentinel with master_set=, which may have credentials of its
	// own: sentinel_username= and sentinel_password=.
	URL string
	// Username and Password override those of the URL.
	Username string
	Password string
	// TLSDir is a directory for rediss://: ca.crt has the authorities to believe
	// instead of the system's, tls.crt and tls.key are shown to the store. Either
	// may be absent. They are read for every connection, so that they may change.
	TLSDir string
	// AllowWeakDurability admits events although the settings of the store do
	// not keep what a 2xx promises.
	AllowWeakDurability bool
	// AdoptFrom is the id of the installation that the store may be taken over
	// from; empty takes over no store that belongs to another.
	AdoptFrom string
	// Exclusive tells that this process has the store to itself, as a sidecar's:
	// then the leases that are found at start are those of a process that is
	// gone, and end at once instead of running out.
	Exclusive bool
	// Watermark is the used part above which nothing is admitted; 0 means [DefaultWatermark].
	Watermark float64
	// StepTimeout bounds every step; 0 means [DefaultStepTimeout].
	StepTimeout time.Duration
	// DataDir is the directory of the store if this process can see it; then
	// the watermark holds for its volume too.
	DataDir string
	// PollInterval is how often the state of the store is read; 0 means a second.
	PollInterval time.Duration
	// Clock replaces the server's clock, for tests.
	Clock func() time.Time
}

// Redis is the durable store, on Redis 7.0 or Valkey 7.2 and later.
type Redis struct {
	options    Options
	connection rueidis.ClientOption

	client atomic.Pointer[rueidis.Client]
	state  atomic.Pointer[storeState]
	// registered remembers which endpoints and targets the store has in its sets.
	registered sync.Map
	// admissions and settlements share calls among those who wait for them.
	admissions  *sharer[admitWork]
	settlements *sharer[settleWork]
	// here is the clock of this process.
	here func() time.Time
	// process names this client among those of the store.
	process string
	lost    lostClaims
	// installation is the id that SetInstallation was given; nil before.
	installation atomic.Pointer[string]
	room         room
	// dropped counts deduplication marks that gave way.
	dropped atomic.Int64
	// inherited is set once an exclusive store's old leases are ended.
	inherited atomic.Bool

	// dials counts connections, vouched those that were there before the latest
	// look at the store; that closes looked, and puts another in its place.
	dials, vouched atomic.Int64
	looked         atomic.Pointer[chan struct{}]
	// checking serialises reading the state.
	checking sync.Mutex
	// poke asks for the state to be read at once; a new connection does.
	poke   chan struct{}
	cancel context.CancelFunc
	ended  chan struct{}
}

var _ Store = (*Redis)(nil)

// NewRedis starts a client of the store. It fails only for options that can
// never work: a store that cannot be reached yet is tried again until Close,
// and until then every method returns [ErrUnavailable].
func NewRedis(ctx context.Context, options Options) (*Redis, error) {
	connection, err := clientOption(options)
	if err != nil {
		return nil, err
	}
	options.Watermark = cmp.Or(options.Watermark, DefaultWatermark)
	options.StepTimeout = cmp.Or(options.StepTimeout, DefaultStepTimeout)
	options.PollInterval = cmp.Or(options.PollInterval, defaultPoll)
	connection.Dialer.Timeout = options.StepTimeout
	connection.Sentinel.Dialer = connection.Dialer
	connection.ConnWriteTimeout = 2 * options.StepTimeout // then a silent connection is given up
	r := &Redis{
		options: options,
		process: newName(),
		here:    time.Now,
		poke:    make(chan struct{}, 1),
		ended:   make(chan struct{}),
		room:    room{turn: make(chan struct{}, 1)},
	}
	if options.Clock != nil {
		r.here = options.Clock
	}
	r.looked.Store(new(make(chan struct{})))
	r.admissions, r.settlements = newSharer(r.admitAll), newSharer(r.settleAll)
	r.state.Store(&storeState{err: errUnchecked})
	r.connection = r.watchDials(connection)
	_ = r.Check(ctx) // kept in the state, and tried again by the monitor
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r.cancel = cancel
	go r.monitor(running)
	return r, nil
}

// Close ends the connections. Steps under way fail.
func (r *Redis) Close() {
	r.cancel()
	<-r.ended
	if client := r.client.Load(); client != nil {
		(*client).Close()
	}
}

// connected returns the client once there has been a connection.
func (r *Redis) connected() (rueidis.Client, error) {
	if client := r.client.Load(); client != nil {
		return *client, nil
	}
	return nil, fmt.Errorf("%w: %w", ErrUnavailable, r.state.Load().err)
}

// now is the time for the scripts: empty means the server's.
func (r *Redis) now() string {
	if r.options.Clock == nil {
		return ""
	}
	return millis(r.options.Clock())
}

func millis(t time.Time) string {
	return strconv.FormatInt(t.UnixMilli(), 10)
}

func durationMillis(d time.Duration) string {
	return strconv.FormatInt(d.Milliseconds(), 10)
}
