package kube

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"github.com/postern-dev/postern/receiver/route"
)

// Options configure a [Source]. Config and Namespace are required.
type Options struct {
	// Config reaches the API server.
	Config *rest.Config
	// Namespace holds the route Secrets.
	Namespace string
	// SnapshotDir keeps the last set of routes, key material included; it must
	// be on a memory-backed volume. Empty keeps none.
	SnapshotDir string
	// SnapshotAfter is how long the API server may take for the first complete
	// set until the snapshot is used; 0 means 2 s.
	SnapshotAfter time.Duration
	// Replays, if set, gets all replays that are asked for, again after every
	// change; it is never called concurrently.
	Replays func(replays []*route.Replay)
	// TouchFor is how long the watches must have gone well before [Source.Current]
	// answers; 0 means a minute.
	TouchFor time.Duration
	// Debounce is how long changes are gathered; 0 means 25 ms.
	Debounce time.Duration
	// Logger is told of trouble; nil discards.
	Logger *slog.Logger
}

// Source watches route Secrets; make one with [New].
type Source struct {
	options    Options
	secrets    corev1.SecretInterface
	routes     cache.SharedIndexInformer
	index      cache.SharedIndexInformer
	tombstones cache.SharedIndexInformer
	replays    cache.SharedIndexInformer
	dirty      chan struct{}
	decoder    decoder
	snapshot   snapshot
	log        *slog.Logger
	// troubled is when a watch failed last, or the process began, in nanoseconds.
	troubled atomic.Int64

	replaysChanged chan struct{}
}

// New makes a source that does nothing until it runs.
func New(options Options) (*Source, error) {
	if options.Config == nil || options.Namespace == "" {
		return nil, errors.New("route source: config and namespace must be set")
	}
	if options.SnapshotAfter <= 0 {
		options.SnapshotAfter = 2 * time.Second
	}
	if options.TouchFor <= 0 {
		options.TouchFor = touchFor
	}
	if options.Debounce <= 0 {
		options.Debounce = 25 * time.Millisecond
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	client, err := corev1.NewForConfig(options.Config)
	if err != nil {
		return nil, fmt.Errorf("route source: %w", err)
	}
	s := &Source{
		options:  options,
		secrets:  client.Secrets(options.Namespace),
		dirty:    make(chan struct{}, 1),
		decoder:  newDecoder(),
		snapshot: snapshot{dir: options.SnapshotDir},
		log:      options.Logger,

		replaysChanged: make(chan struct{}, 1),
	}
	s.troubled.Store(time.Now().UnixNano())
	for _, each := range []struct {
		informer *cache.SharedIndexInformer
		label    string
		changed  chan struct{}
	}{
		{&s.routes, RouteLabel, s.dirty},
		{&s.index, IndexLabel, s.dirty},
		{&s.tombstones, TombstoneLabel, s.dirty},
		{&s.replays, ReplayLabel, s.replaysChanged},
	} {
		if *each.informer, err = s.watch(each.label+"=true", each.changed); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Run watches until ctx ends. emit gets whole sets of routes and is never
// called concurrently.
func (s *Source) Run(ctx context.Context, emit func(route.Set)) error {
	ctx, cancel := context.WithCancel(ctx)
	var background sync.WaitGroup
	defer background.Wait()
	defer cancel()
	for _, informer := range []cache.SharedIndexInformer{s.routes, s.index, s.tombstones} {
		background.Go(func() { informer.RunWithContext(ctx) })
	}
	background.Go(func() {
		// A namespace without routes sends no event that would tell so.
		cache.WaitForCacheSync(ctx.Done(), s.routes.HasSynced, s.index.HasSynced, s.tombstones.HasSynced)
		mark(s.dirty)
	})
	if s.options.Replays != nil {
		background.Go(func() { s.replays.RunWithContext(ctx) })
		background.Go(func() { s.followReplays(ctx) })
	}
	s.follow(ctx, emit)
	return nil
}

// follow gathers changes and hands sets on. Until the first complete set only
// the snapshot is, once its time has come.
func (s *Source) follow(ctx context.Context, emit func(route.Set)) {
	late := time.NewTimer(s.options.SnapshotAfter)
	defer late.Stop()
	saving := startSaver(ctx, s.snapshot, s.log)
	defer saving.wait()
	var last *set
	var quietUntil time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-late.C:
			if last == nil {
				s.emitSnapshot(emit)
			}
			continue
		case <-s.dirty:
		}
		if !pause(ctx, max(s.options.Debounce, time.Until(quietUntil))) {
			return
		}
		begun := time.Now()
		next := s.read()
		if last == nil && !s.complete(next.routes) || next.equal(last) {
			continue
		}
		last = next
		emit(route.Set{
			Routes: next.routes, Problems: next.problems,
			Tombstones: next.tombstones, Installation: next.installation,
		})
		saving.keep(snapshotContent{Installation: next.installation, Routes: next.documents})
		// However many routes change, half of the time is left for requests.
		quietUntil = time.Now().Add(time.Since(begun))
	}
}

func (s *Source) emitSnapshot(emit func(route.Set)) {
	routes, installation, err := s.snapshot.load()
	switch {
	case err != nil:
		s.log.Error("Route snapshot was not read", "directory", s.options.SnapshotDir, "error", err)
	case routes == nil:
		s.log.Warn("No complete set of routes yet and no snapshot to begin with", "namespace", s.options.Namespace)
	default:
		s.log.Warn("No complete set of routes yet, began with the snapshot",
			"namespace", s.options.Namespace, "routes", len(routes))
		emit(route.Set{Routes: routes, Installation: installation, Provisional: true})
	}
}

// pause waits and says whether ctx still holds.
func pause(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
