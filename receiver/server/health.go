package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/quota"
	"github.com/postern-dev/postern/receiver/route"
)

// What a store may tell of itself beside its contract; one in memory has
// nothing to say.
type (
	healthTeller interface{ Health(context.Context) error }
	usageTeller  interface{ UsedRatio() float64 }
	markTeller   interface{ DroppedMarks() int64 }
	fullTeller   interface {
		usageTeller
		Full() bool
	}
	weakTeller interface{ Weak() *queue.SettingsError }
	owned      interface {
		SetInstallation(ctx context.Context, id string)
	}
)

const healthTimeout = time.Second

// healthz says that the process answers. What it waits for is for readyz: a
// restart would mend none of it.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// readyz says whether requests may be sent here, and if not, why not.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	health := s.unready(r.Context())
	if len(health.Causes) > 0 {
		health.Status = "not ready"
		writeJSON(w, http.StatusServiceUnavailable, health)
		return
	}
	health.Status = "ready"
	// Handshakes and refusals are still answered, and targets still get events.
	if store, ok := s.options.Store.(fullTeller); ok && store.Full() {
		health.Add(route.CauseStoreFull, fmt.Sprintf(
			"store: %.0f %% of it is used, new events are refused", store.UsedRatio()*100))
	}
	if found := s.quota.Shortened(s.options.Now()); found.Endpoints > 0 {
		health.Add(route.CauseDeduplicationShortened, shortened(found))
	}
	writeJSON(w, http.StatusOK, health)
}

// shortened says it in words that change seldom: they end up in a condition.
func shortened(found quota.Shortened) string {
	e := found.Shortest
	return fmt.Sprintf("deduplication: marks of %d endpoints gave way for want of room; copies of events of %s/%s, "+
		"the shortest, are recognised for %s instead of %s", found.Endpoints, e.Namespace, e.Name,
		roughly(found.Window), roughly(quota.Asked(e)))
}

// roughly rounds down to hours, or below two of them to ten minutes.
func roughly(d time.Duration) string {
	if d >= 2*time.Hour {
		return fmt.Sprintf("%d hours", d/time.Hour)
	}
	return fmt.Sprintf("%d minutes", d.Truncate(10*time.Minute)/time.Minute)
}

func (s *Server) unready(ctx context.Context) route.Health {
	var health route.Health
	if s.stopping.Load() {
		health.Add(route.CauseStopping, "stopping: the process got its signal to end")
	}
	if s.table.Get() == nil {
		health.Add(route.CauseRoutesIncomplete, "routes: no complete set has been loaded yet")
	}
	if err := s.storeHealth(ctx); err != nil {
		cause := route.CauseStoreUnavailable
		if _, weak := errors.AsType[*queue.SettingsError](err); weak {
			cause = route.CauseStoreNotDurable
		} else if _, foreign := errors.AsType[*queue.OwnerError](err); foreign {
			cause = route.CauseStoreOfAnotherInstallation
		}
		health.Add(cause, "store: "+err.Error())
	}
	return health
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
	if store, ok := s.options.Store.(markTeller); ok {
		dropped := store.DroppedMarks()
		s.options.Metrics.MarksDropped(dropped - s.dropped)
		s.dropped = dropped
	}
	s.measureStore(ctx)
	s.options.Metrics.StoreOrphans(s.options.Engine.Orphans())
	s.options.Metrics.Ready(len(s.unready(ctx).Causes) == 0)
	s.options.Metrics.Sweep()
}

// measureStore tells a store that is away from one that is there and would lose
// events: only the first mends itself.
func (s *Server) measureStore(ctx context.Context) {
	err := s.storeHealth(ctx)
	_, weak := errors.AsType[*queue.SettingsError](err)
	_, foreign := errors.AsType[*queue.OwnerError](err)
	s.tellForeign(err, foreign)
	s.options.Metrics.StoreUp(err == nil || weak || foreign)
	store, ok := s.options.Store.(weakTeller)
	if ok && (err == nil || weak) {
		s.options.Metrics.StoreDurable(!weak && store.Weak() == nil)
	}
}

// tellForeign logs once that the store belongs to another installation.
func (s *Server) tellForeign(err error, foreign bool) {
	if s.foreign.Swap(foreign) == foreign || !foreign {
		return
	}
	s.log.Error("Receiver is not ready, its store belongs to another installation",
		"cause", route.CauseStoreOfAnotherInstallation, "error", err)
}
