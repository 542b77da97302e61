package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/postern-dev/postern/receiver/deliver"
	"github.com/postern-dev/postern/receiver/deliver/outbound"
	"github.com/postern-dev/postern/receiver/ingest"
	"github.com/postern-dev/postern/receiver/metrics"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/quota"
	"github.com/postern-dev/postern/receiver/replay"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/table"
	"github.com/postern-dev/postern/receiver/tracing"
	"github.com/postern-dev/postern/receiver/traffic"
	"github.com/postern-dev/postern/receiver/verify"
)

// Source hands on whole sets of routes until ctx ends. The first set must be
// complete or provisional. It returns an error only for what trying again
// cannot mend.
type Source func(ctx context.Context, emit func(route.Set)) error

// Options configure a [Server]. Listen, Internal, Store, Engine and Source are
// required.
type Options struct {
	// Listen and Internal are the addresses of the two listeners.
	Listen   string
	Internal string
	// TLSCertDir holds tls.crt and tls.key for the public listener; they are
	// read again when they change. Empty serves plain HTTP.
	TLSCertDir string

	Store  queue.Store
	Engine *deliver.Engine
	Source Source

	// Fetcher gets the public keys that providers publish; nil means one that
	// obeys the deny-list of targets.
	Fetcher *verify.Fetcher

	// Metrics are those that the engine observes too; Gatherer is served as
	// /metrics. Both may be nil.
	Metrics  *metrics.Metrics
	Gatherer prometheus.Gatherer
	// Traffic is the counter that the engine observes too, served as /traffic; it
	// may be nil.
	Traffic *traffic.Counter
	// Tracer is the one that the engine is observed by too; nil traces nothing.
	Tracer *tracing.Tracer
	// Observe, if set, is told of every answer; it must not block.
	Observe func(ingest.Result)
	// Loaded, if set, is told of every table that came into force.
	Loaded func(*table.Table)

	// TrustedProxies are the peers whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
	// MemoryBudgetBytes bounds what requests under way hold; 0 means 128 MiB.
	MemoryBudgetBytes int64
	// Budgets, if set, divides the memory anew between requests and events with
	// every table.
	Budgets func(*table.Table) (requests, events int64)
	// NamespaceRate bounds the requests of each namespace, NamespaceBytes what it
	// has in the store; nil and 0 are no limits.
	NamespaceRate  *route.RateLimit
	NamespaceBytes int64
	// MaxConnections bounds the public connections; 0 means one for each 32 KiB of
	// the memory budget, at most 4096.
	MaxConnections int

	// StoreTimeout and CopyTimeout are those of [ingest.Options].
	StoreTimeout, CopyTimeout time.Duration

	// ShutdownDelay is how long requests are still served after readiness is
	// given up, until nobody routes here any more.
	ShutdownDelay time.Duration
	// GracePeriod is the time from the signal until the process must be gone;
	// 0 means 30 s.
	GracePeriod time.Duration

	// LogLevel, if set, is served as /loglevel.
	LogLevel http.Handler
	// Logger is for people; nil discards.
	Logger *slog.Logger
	// Now tells the time; nil means time.Now.
	Now func() time.Time
	// Sleep waits for the shutdown delay; nil means time.Sleep.
	Sleep func(time.Duration)
}

func (o Options) validate() error {
	switch {
	case o.Listen == "" || o.Internal == "":
		return errors.New("server: both listen addresses must be set")
	case o.Store == nil || o.Engine == nil || o.Source == nil:
		return errors.New("server: store, engine and source must be set")
	case o.ShutdownDelay < 0 || o.GracePeriod < 0:
		return errors.New("server: shutdown delay and grace period must not be negative")
	}
	return nil
}

func (o Options) withDefaults() Options {
	if o.Metrics == nil {
		o.Metrics = metrics.New(prometheus.NewRegistry())
	}
	if o.Gatherer == nil {
		o.Gatherer = prometheus.NewRegistry()
	}
	if o.Fetcher == nil {
		network := outbound.Network{Deny: outbound.APIServer()}
		o.Fetcher = verify.NewFetcher(verify.NewTransport(network.Control()))
	}
	if o.Traffic == nil {
		o.Traffic = traffic.New(o.Now)
	}
	if o.MemoryBudgetBytes <= 0 {
		o.MemoryBudgetBytes = 128 << 20
	}
	if o.MaxConnections <= 0 {
		o.MaxConnections = int(min(maxConnections, o.MemoryBudgetBytes/connectionCost))
	}
	if o.GracePeriod == 0 {
		o.GracePeriod = 30 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = time.Sleep
	}
	return o
}

// Server is one receiver; make it with [New].
type Server struct {
	options Options
	log     *slog.Logger

	publicListener   net.Listener
	internalListener net.Listener
	public           *http.Server
	internal         *http.Server

	requests *ingest.Handler
	table    table.Current
	// hasTable is closed with the first table.
	hasTable   chan struct{}
	firstTable sync.Once
	keys       *keyUse
	quota      *quota.Keeper
	// replays are those that were asked for.
	replays *replay.Runner
	// problems are those of the source; the table has its own.
	problems atomic.Pointer[map[string]error]
	stopping atomic.Bool
	// foreign is set while the store belongs to another installation.
	foreign atomic.Bool
	// dropped is how many marks that gave way are counted; the loop that measures
	// has it.
	dropped int64

	background sync.WaitGroup
	cleanups   cleanups
}

// New binds the listeners, so that a wrong address fails at once. [Server.Run]
// must follow; it closes them.
func New(options Options) (*Server, error) {
	if err := options.validate(); err != nil {
		return nil, err
	}
	options = options.withDefaults()
	s := &Server{
		options: options, log: options.Logger,
		keys: &keyUse{Metrics: options.Metrics, now: options.Now}, hasTable: make(chan struct{}),
		quota: quota.NewKeeper(quota.Options{
			Store: options.Store, MaxBytes: options.NamespaceBytes,
			Measured: options.Metrics.NamespaceStored, Remembered: options.Metrics.DedupWindow, Logger: options.Logger,
		}),
	}
	s.cleanups.log = options.Logger
	s.replays = s.newReplays()
	s.requests = ingest.New(ingest.Options{
		Tables:            s.table.Get,
		Store:             timedStore{options.Store, options.Metrics, options.Tracer},
		Marks:             options.Store,
		Quota:             s.quota,
		Deliverer:         deliverer{options.Engine},
		TrustedProxies:    options.TrustedProxies,
		MemoryBudgetBytes: options.MemoryBudgetBytes,
		StoreTimeout:      options.StoreTimeout,
		CopyTimeout:       options.CopyTimeout,
		Observe:           options.observer(),
		JoinTrace:         options.joinTrace(),
		Metrics:           counted{s.keys, options.Traffic},
		Logger:            options.Logger,
		Now:               options.Now,
	})
	var err error
	if s.public, err = publicServer(options, s.requests); err != nil {
		return nil, err
	}
	s.internal = internalServer(options, s.internalHandler())
	return s, s.listen()
}

func (s *Server) listen() error {
	var err error
	if s.publicListener, err = listenPublic(s.options); err != nil {
		return err
	}
	if s.internalListener, err = net.Listen("tcp", s.options.Internal); err != nil {
		return errors.Join(fmt.Errorf("internal listener: %w", err), s.publicListener.Close())
	}
	return nil
}

// Addr is the address of the public listener.
func (s *Server) Addr() net.Addr { return s.publicListener.Addr() }

// InternalAddr is the address of the internal listener.
func (s *Server) InternalAddr() net.Addr { return s.internalListener.Addr() }

// Table is the table in force, nil before the first.
func (s *Server) Table() *table.Table { return s.table.Get() }
