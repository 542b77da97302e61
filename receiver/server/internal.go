package server

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/postern-dev/postern/receiver/table"
)

// internalHandler serves what is for the cluster and for people, never for senders.
//
// No page that a browser shows may use it, whatever its address. Payloads,
// replay and the log's level are for those whom the cluster lets forward a port.
func (s *Server) internalHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.HandleFunc("GET /routes", s.routes)
	mux.HandleFunc("GET /traffic", s.tellTraffic)
	mux.HandleFunc("GET /replays", s.tellReplays)
	mux.HandleFunc("GET /tombstones", s.tellPurged)
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.options.Gatherer, promhttp.HandlerOpts{}))
	if s.options.LogLevel != nil {
		mux.Handle("/loglevel", loopbackOnly(s.options.LogLevel.ServeHTTP))
	}
	mux.Handle("GET /events", loopbackOnly(s.listEvents))
	mux.Handle("GET /events/{id}", loopbackOnly(s.getEvent))
	mux.Handle("POST /events/{id}/replay", loopbackOnly(jsonOnly(s.replayEvent)))
	mux.Handle("POST /replay-dead", loopbackOnly(jsonOnly(s.replayDead)))
	mux.Handle("POST /events/{id}/discard", loopbackOnly(jsonOnly(s.discardEvent)))
	mux.Handle("POST /discard-dead", loopbackOnly(jsonOnly(s.discardDead)))
	return noForeignPage(mux)
}

// tellPurged answers GET /tombstones, for the manager: the uids of the deleted
// endpoints that it may forget.
func (s *Server) tellPurged(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{"purged": s.options.Engine.Purged()})
}

// loadedRoute is one route as the manager compares it.
type loadedRoute struct {
	UID        string `json:"uid"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name,omitempty"`
	Hash       string `json:"hash"`
	Generation int64  `json:"generation"`
	Error      string `json:"error,omitempty"`
	// KeysUsed is when keys last verified a request since this process started.
	KeysUsed map[string]time.Time `json:"keysUsed,omitempty"`
}

// routes tells which routes are in force, without secrets.
func (s *Server) routes(w http.ResponseWriter, r *http.Request) {
	inForce, problems := s.table.Get(), s.currentProblems()
	loaded := []loadedRoute{}
	if uid := r.URL.Query().Get("uid"); uid != "" {
		// Every endpoint's controller asks for its own: the others are not looked at.
		if endpoint, problem := inForce.ByUID(uid), problems[uid]; endpoint != nil || problem != nil {
			loaded = append(loaded, s.loaded(uid, endpoint, problem))
		}
		writeJSON(w, http.StatusOK, map[string]any{"count": len(loaded), "routes": loaded})
		return
	}
	for _, endpoint := range inForce.Endpoints() {
		loaded = append(loaded, s.loaded(endpoint.Route.UID, endpoint, problems[endpoint.Route.UID]))
	}
	for uid, err := range problems {
		if inForce.ByUID(uid) == nil {
			loaded = append(loaded, s.loaded(uid, nil, err))
		}
	}
	slices.SortFunc(loaded, func(a, b loadedRoute) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name), cmp.Compare(a.UID, b.UID))
	})
	writeJSON(w, http.StatusOK, map[string]any{"count": len(loaded), "routes": loaded})
}

// loaded describes one route; the endpoint is nil for one that never loaded.
func (s *Server) loaded(uid string, endpoint *table.Endpoint, problem error) loadedRoute {
	entry := loadedRoute{UID: uid}
	if endpoint != nil {
		entry.Namespace, entry.Name = endpoint.Route.Namespace, endpoint.Route.Name
		entry.Hash, entry.Generation = endpoint.Hash, endpoint.Route.Generation
		entry.KeysUsed = s.keys.of(endpoint.Route)
	}
	if problem != nil {
		entry.Error = problem.Error()
	}
	return entry
}

func writeJSON(w http.ResponseWriter, status int, content any) {
	body, err := json.Marshal(content)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error":"the answer does not encode"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // a peer that has gone gets no answer
}

func writeError(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, map[string]string{"error": message})
}
