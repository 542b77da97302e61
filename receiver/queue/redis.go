package queue

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
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

// sockets is the number of connections as a power of two. A server commits at
// most 16 KiB of each connection in one fsync, so that a single one, however
// deep its pipeline, would be an order of magnitude slower.
const sockets = 5

// Options configure a [Redis] store.
type Options struct {
	// URL is unix:///path, redis:// or rediss://, with addr= for more nodes of a
	// Cluster and master_set= for Sentinel.
	URL string
	// Username and Password override those of the URL.
	Username string
	Password string
	// AllowWeakDurability admits events although the settings of the store do
	// not keep what a 2xx promises.
	AllowWeakDurability bool
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
	// inherited is set once an exclusive store's old leases are ended.
	inherited atomic.Bool

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
	connection.ConnWriteTimeout = 2 * options.StepTimeout // then a silent connection is given up
	r := &Redis{
		options: options,
		poke:    make(chan struct{}, 1),
		ended:   make(chan struct{}),
	}
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

func clientOption(options Options) (rueidis.ClientOption, error) {
	option, err := rueidis.ParseURL(options.URL)
	if err != nil || namesNoHost(options.URL) {
		// The parser's words may quote the URL, which may hold a password.
		return option, errors.New("the URL of the store is not valid; " +
			"give unix:///path/to/socket, redis://host:port or rediss://host:port")
	}
	option.Username = cmp.Or(options.Username, option.Username)
	option.Password = cmp.Or(options.Password, option.Password)
	option.PipelineMultiplex = sockets
	option.DisableRetry = true
	option.DisableCache = true
	option.ClientSetInfo = rueidis.DisableClientSetInfo
	if strings.HasPrefix(options.URL, "unix:") {
		if len(option.InitAddress) != 1 || option.InitAddress[0] == "" {
			return option, fmt.Errorf("the URL of the store names no socket; give unix:///path/to/socket")
		}
		option.ForceSingleClient = true
	}
	return option, nil
}

// namesNoHost tells of a URL that the parser would complete: in a pod, the
// store is never what happens to listen on localhost.
func namesNoHost(address string) bool {
	parsed, err := url.Parse(address)
	return err == nil && parsed.Scheme != "unix" && parsed.Hostname() == ""
}

// watchDials makes every new connection have the store checked: behind it may
// be another server, or the same one restarted with other settings.
func (r *Redis) watchDials(option rueidis.ClientOption) rueidis.ClientOption {
	dial := option.DialCtxFn
	if dial == nil {
		dial = dialTCP
	}
	option.DialCtxFn = func(ctx context.Context, addr string, d *net.Dialer, config *tls.Config) (net.Conn, error) {
		conn, err := dial(ctx, addr, d, config)
		if err == nil {
			r.checkSoon()
		}
		return conn, err
	}
	return option
}

func dialTCP(ctx context.Context, address string, dialer *net.Dialer, config *tls.Config) (net.Conn, error) {
	if config != nil {
		return (&tls.Dialer{NetDialer: dialer, Config: config}).DialContext(ctx, "tcp", address)
	}
	return dialer.DialContext(ctx, "tcp", address)
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
