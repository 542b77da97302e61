package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

const (
	// releaseMargin is kept of the grace period for giving leases back and for
	// the last clean-up.
	releaseMargin = 4 * time.Second
	// collectEvery is how often gauges are fed that nothing else feeds.
	collectEvery = 5 * time.Second
	// firstTablePatience is how long requests that come before the first table wait
	// to be accepted. A sender that does not try again loses what is refused.
	firstTablePatience = 5 * time.Second
)

// Run serves until ctx ends, then stops in order and returns nil; the order is
// in [Server.shutdown]. It returns an error when a listener or the source fails.
func (s *Server) Run(ctx context.Context) error {
	// What runs in the background outlives ctx: draining needs it.
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer s.background.Wait()
	defer cancel()

	failed := make(chan error, 3)
	s.background.Go(func() { s.serve(s.internal, s.internalListener, failed) })
	s.cleanups.push("late requests", func(context.Context) error { return s.public.Close() })
	s.cleanups.push("internal server", func(context.Context) error { return s.internal.Close() })
	s.options.Engine.Start(running)
	s.cleanups.push("delivery", func(ctx context.Context) error {
		s.options.Engine.Drain(ctx)
		return nil
	})
	s.background.Go(func() { s.follow(running, failed) })
	s.background.Go(func() { s.collect(running) })
	s.background.Go(func() { s.quota.Run(running) })
	s.background.Go(func() { s.replays.Run(running) })
	s.cleanups.push("fetching public keys", func(context.Context) error {
		s.options.Fetcher.Close()
		return nil
	})
	s.background.Go(func() {
		s.awaitTable(running)
		s.serve(s.public, s.publicListener, failed)
	})
	s.cleanups.push("public server", s.shutdownPublic)
	s.log.Info("Receiver started", "listen", s.Addr().String(), "internal", s.InternalAddr().String())

	select {
	case <-ctx.Done():
		s.shutdown(running)
		return nil
	case err := <-failed:
		s.stop(running, time.Now().Add(s.options.GracePeriod))
		return err
	}
}

// shutdown is the way down: not ready, serve on until nobody routes here any
// more, accept nothing new, finish what is under way, deliver what can be
// delivered, give the rest back, stop telling about it.
func (s *Server) shutdown(ctx context.Context) {
	deadline := time.Now().Add(s.options.GracePeriod)
	s.stopping.Store(true)
	s.log.Info("Receiver is stopping", "delay", s.options.ShutdownDelay.String())
	s.options.Sleep(min(s.options.ShutdownDelay, s.options.GracePeriod/2))
	s.stop(ctx, deadline)
	s.log.Info("Receiver stopped")
}

// shutdownPublic accepts no more requests and waits for those under way, at
// most for half of the time that is left: the other half is for delivery. What
// is not done by then goes on beside it, until the end.
func (s *Server) shutdownPublic(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok {
		half, cancel := context.WithTimeout(ctx, time.Until(deadline)/2)
		defer cancel()
		ctx = half
	}
	return s.public.Shutdown(ctx)
}

// stop takes down what was started, the latest first.
func (s *Server) stop(ctx context.Context, deadline time.Time) {
	s.stopping.Store(true)
	margin := min(releaseMargin, s.options.GracePeriod/2)
	ctx, cancel := context.WithDeadline(ctx, deadline.Add(-margin))
	defer cancel()
	s.cleanups.run(ctx)
}

// awaitTable returns with the first table, or when requests have waited for long
// enough.
func (s *Server) awaitTable(ctx context.Context) {
	timer := time.NewTimer(firstTablePatience)
	defer timer.Stop()
	select {
	case <-s.hasTable:
	case <-timer.C:
	case <-ctx.Done():
	}
}

func (s *Server) serve(server *http.Server, listener net.Listener, failed chan<- error) {
	var err error
	if server.TLSConfig != nil {
		err = server.ServeTLS(listener, "", "")
	} else {
		err = server.Serve(listener)
	}
	if !errors.Is(err, http.ErrServerClosed) {
		failed <- fmt.Errorf("serving %s: %w", listener.Addr(), err)
	}
}

// follow puts every set of routes in force.
func (s *Server) follow(ctx context.Context, failed chan<- error) {
	if err := s.options.Source(ctx, s.load); err != nil && ctx.Err() == nil {
		failed <- fmt.Errorf("source of routes: %w", err)
	}
}

// collect feeds the gauges that nothing else feeds.
func (s *Server) collect(ctx context.Context) {
	ticker := time.NewTicker(collectEvery)
	defer ticker.Stop()
	for {
		s.measure(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
