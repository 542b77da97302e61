package server

import (
	"cmp"
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"slices"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// internalHandler serves what is for the cluster and for people, never for senders.
func (s *Server) internalHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.HandleFunc("GET /routes", s.routes)
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.options.Gatherer, promhttp.HandlerOpts{}))
	mux.Handle("GET /events", loopbackOnly(s.listEvents))
	mux.Handle("GET /events/{id}", loopbackOnly(s.getEvent))
	mux.Handle("POST /events/{id}/replay", loopbackOnly(s.replayEvent))
	mux.Handle("POST /replay-dead", loopbackOnly(s.replayDead))
	return mux
}

// loopbackOnly serves peers of the same network namespace: a port-forward
// comes from there, another pod does not. Payloads and replay are for those
// whom the cluster lets forward a port.
func loopbackOnly(handler http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		if addr, err := netip.ParseAddr(host); err != nil || !addr.Unmap().IsLoopback() {
			writeError(w, http.StatusForbidden, "events are served to loopback only: use a port-forward")
			return
		}
		handler(w, r)
	})
}

// loadedRoute is one route as the manager compares it.
type loadedRoute struct {
	UID        string `json:"uid"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name,omitempty"`
	Hash       string `json:"hash"`
	Generation int64  `json:"generation"`
	Error      string `json:"error,omitempty"`
}

// routes tells which routes are in force, without secrets.
func (s *Server) routes(w http.ResponseWriter, r *http.Request) {
	only := r.URL.Query().Get("uid")
	problems := s.currentProblems()
	loaded := []loadedRoute{}
	for _, endpoint := range s.table.Get().Endpoints() {
		entry := loadedRoute{
			UID: endpoint.Route.UID, Namespace: endpoint.Route.Namespace, Name: endpoint.Route.Name,
			Hash: endpoint.Hash, Generation: endpoint.Route.Generation,
		}
		if err := problems[entry.UID]; err != nil {
			entry.Error = err.Error()
		}
		loaded = append(loaded, entry)
	}
	for uid, err := range problems {
		if s.table.Get().ByUID(uid) == nil {
			loaded = append(loaded, loadedRoute{UID: uid, Error: err.Error()})
		}
	}
	if only != "" {
		loaded = slices.DeleteFunc(loaded, func(entry loadedRoute) bool { return entry.UID != only })
	}
	slices.SortFunc(loaded, func(a, b loadedRoute) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name), cmp.Compare(a.UID, b.UID))
	})
	writeJSON(w, http.StatusOK, map[string]any{"count": len(loaded), "routes": loaded})
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
