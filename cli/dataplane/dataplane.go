// Package dataplane puts a receiver together from its parts. A cluster and a
// folder of files differ in where routes come from, and in who watches.
//
// It imports the receiver's packages, all but the sources of routes.
package dataplane

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/postern-dev/postern/receiver/deliver"
	"github.com/postern-dev/postern/receiver/deliver/outbound"
	"github.com/postern-dev/postern/receiver/ingest"
	"github.com/postern-dev/postern/receiver/metrics"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/server"
	"github.com/postern-dev/postern/receiver/table"
	"github.com/postern-dev/postern/receiver/tracing"
	"github.com/postern-dev/postern/receiver/traffic"
)

// Options describe a receiver. Listen, Internal, Store and Source are required.
type Options struct {
	Listen     string
	Internal   string
	TLSCertDir string

	Store   StoreOptions
	Network outbound.Network
	Source  server.Source
	// Current asks how an endpoint stands; without it nothing is cleaned up. See
	// [deliver.Options].
	Current func(ctx context.Context, uid string) (route.Standing, error)

	// Observe, Deliveries and Loaded, if set, are told what happens.
	Observe    func(ingest.Result)
	Deliveries deliver.Observer
	Loaded     func(*table.Table)

	TrustedProxies []netip.Prefix
	// MemoryLimitBytes is what Go may use; 0 is no limit. MemoryBudgetBytes bounds
	// what requests hold, and again events; 0 derives both from the limit.
	MemoryLimitBytes  int64
	MemoryBudgetBytes int64
	// NamespaceRate bounds the requests of each namespace, NamespaceBytes what it
	// has in the store; nil and 0 are no limits.
	NamespaceRate  *route.RateLimit
	NamespaceBytes int64
	// Tracing says where traces go; without a collector nothing is traced.
	Tracing       tracing.Options
	ShutdownDelay time.Duration
	GracePeriod   time.Duration
	Logger        *slog.Logger
	// LogLevel, if set, is served as /loglevel on the internal address.
	LogLevel http.Handler
}

// Run serves until ctx ends. started, if set, is called once the listeners
// are bound, with the addresses they have.
func Run(ctx context.Context, options Options, started func(*server.Server)) error {
	store, err := options.Store.open(ctx)
	if err != nil {
		return err
	}
	defer store.close()
	tracer, err := tracing.New(ctx, options.Tracing)
	if err != nil {
		return err
	}
	running, err := assemble(options, store, tracer)
	if err != nil {
		return err
	}
	if started != nil {
		started(running)
	}
	defer func() {
		if err := tracer.Shutdown(context.WithoutCancel(ctx)); err != nil {
			options.Logger.Warn("The last traces were not exported", "error", err)
		}
	}()
	return running.Run(ctx)
}

func assemble(options Options, store *opened, tracer *tracing.Tracer) (*server.Server, error) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	measured, counter := metrics.New(registry), traffic.New(nil)
	memory := &memory{limit: options.MemoryLimitBytes, fixed: options.MemoryBudgetBytes, log: options.Logger}
	requests, events := memory.divide(0)
	engine := deliver.New(deliver.Options{
		Worker:     store,
		Keeper:     store,
		Current:    options.Current,
		Network:    options.Network,
		Observer:   observers{measured, counter, tracer, detail{options.Logger}, options.Deliveries},
		Logger:     options.Logger,
		DrainStore: store.volatile || options.Store.Drain,

		MemoryBudgetBytes: events,
	})
	return server.New(server.Options{
		Listen:         options.Listen,
		Internal:       options.Internal,
		TLSCertDir:     options.TLSCertDir,
		Store:          store.Store,
		Engine:         engine,
		Source:         options.Source,
		Metrics:        measured,
		Gatherer:       registry,
		Traffic:        counter,
		Tracer:         tracer,
		Observe:        detail{options.Logger}.beside(options.Observe),
		Loaded:         options.Loaded,
		TrustedProxies: options.TrustedProxies,

		MemoryBudgetBytes: requests,
		Budgets:           memory.divideFor,
		NamespaceRate:     options.NamespaceRate,
		NamespaceBytes:    options.NamespaceBytes,

		ShutdownDelay: options.ShutdownDelay,
		GracePeriod:   options.GracePeriod,
		Logger:        options.Logger,
		LogLevel:      options.LogLevel,
	})
}
