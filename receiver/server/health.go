package server

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
)

// What a store may tell of itself beside its contract; one in memory has
// nothing to say.
type (
	healthTeller interface{ Health(context.Context) error }
	usageTeller  interface{ UsedRatio() float64 }
	weakTeller   interface{ Weak() *queue.SettingsError }
)

const healthTimeout = time.Second

// healthz says that the process answers. What it waits for is for readyz: a
// restart would mend none of it.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// readyz says whether requests may be sent here, and if not, why not.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	reasons := s.unready(r.Context())
	if len(reasons) > 0 {
		writeJSON(w, http.StatusServiceUnavailable, map[string]any{"status": "not ready", "reasons": reasons})
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"status": "ready"})
}

func (s *Server) unready(ctx context.Context) []string {
	var reasons []string
	if s.stopping.Load() {
		reasons = append(reasons, "stopping: the process got its signal to end")
	}
	if s.table.Get() == nil {
		reasons = append(reasons, "routes: no complete set has been loaded yet")
	}
	if err := s.storeHealth(ctx); err != nil {
		reasons = append(reasons, "store: "+err.Error())
	}
	return reasons
}

func (s *Server) storeHealth(ctx context.Context) error {
	store, ok := s.options.Store.(healthTeller)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	return store.Health(ctx)
}

// measure feeds the gauges of the store and sweeps series of removed endpoints.
func (s *Server) measure(ctx context.Context) {
	if store, ok := s.options.Store.(usageTeller); ok {
		s.options.Metrics.StoreUsed(store.UsedRatio())
	}
	s.measureStore(ctx)
	s.options.Metrics.Ready(len(s.unready(ctx)) == 0)
	s.options.Metrics.Sweep()
}

// measureStore tells a store that is away from one that is there and would lose
// events: only the first mends itself.
func (s *Server) measureStore(ctx context.Context) {
	err := s.storeHealth(ctx)
	_, weak := errors.AsType[*queue.SettingsError](err)
	s.options.Metrics.StoreUp(err == nil || weak)
	store, ok := s.options.Store.(weakTeller)
	if ok && (err == nil || weak) {
		s.options.Metrics.StoreDurable(!weak && store.Weak() == nil)
	}
}
