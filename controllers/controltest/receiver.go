package controltest

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/postern-dev/postern/controllers/confirm"
	"github.com/postern-dev/postern/controllers/meta"
	"github.com/postern-dev/postern/receiver/route"
)

// Receiver answers the internal HTTP as a receiver does that loads each route
// from its Secret the moment that it is asked about it.
type Receiver struct {
	cluster   *Cluster
	namespace string
	server    *httptest.Server

	mu       sync.Mutex
	notReady string
	cause    string
	full     bool
	dropped  string
	held     map[string]bool
	rejected map[string]string
	progress map[string]route.ReplayProgress
	counted  []confirm.Traffic
}

// NewReceiver starts a receiver.
func NewReceiver(cluster *Cluster, namespace string) *Receiver {
	r := &Receiver{
		cluster: cluster, namespace: namespace, held: map[string]bool{}, rejected: map[string]string{},
		progress: map[string]route.ReplayProgress{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", r.readyz)
	mux.HandleFunc("GET /routes", r.routes)
	mux.HandleFunc("GET /replays", r.replays)
	mux.HandleFunc("GET /traffic", r.traffic)
	r.server = httptest.NewServer(mux)
	return r
}

// URL is the base of the internal HTTP.
func (r *Receiver) URL() string { return r.server.URL }

// Port is the port of the internal HTTP, on 127.0.0.1.
func (r *Receiver) Port() int { return r.server.Listener.Addr().(*net.TCPAddr).Port }

// Close stops the receiver.
func (r *Receiver) Close() { r.server.Close() }

// SetNamespace says where the routes are.
func (r *Receiver) SetNamespace(namespace string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.namespace = namespace
}

// SetNotReady makes the receiver say that it is not ready, for a cause and a
// reason; the empty reason makes it ready again.
func (r *Receiver) SetNotReady(cause, reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cause, r.notReady = cause, reason
}

// SetFull makes the receiver say that it serves and has no room for new events.
func (r *Receiver) SetFull(full bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.full = full
}

// SetShortened makes the receiver say this of its deduplication; empty for nothing.
func (r *Receiver) SetShortened(reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dropped = reason
}

// Hold keeps the receiver from loading the route of an endpoint until it is
// released.
func (r *Receiver) Hold(uid types.UID, hold bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held[string(uid)] = hold
}

// Reject makes the receiver refuse the route of an endpoint; the empty reason
// makes it load it.
func (r *Receiver) Reject(uid types.UID, reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rejected[string(uid)] = reason
}

func (r *Receiver) readyz(w http.ResponseWriter, _ *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	health := route.Health{Status: "ready"}
	if r.full {
		health.Add(route.CauseStoreFull, "store: 81 % of it is used, new events are refused")
	}
	if r.dropped != "" {
		health.Add(route.CauseDeduplicationShortened, r.dropped)
	}
	if r.notReady != "" {
		health = route.Health{Status: "not ready"}
		health.Add(r.cause, r.notReady)
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	answer(w, health)
}

func (r *Receiver) routes(w http.ResponseWriter, request *http.Request) {
	routes := []confirm.Loaded{}
	if loaded := r.load(request, request.URL.Query().Get("uid")); loaded != nil {
		routes = append(routes, *loaded)
	}
	answer(w, map[string]any{"count": len(routes), "routes": routes})
}

func (r *Receiver) load(request *http.Request, uid string) *confirm.Loaded {
	r.mu.Lock()
	held, reason, namespace := r.held[uid], r.rejected[uid], r.namespace
	r.mu.Unlock()
	if held {
		return nil
	}
	if reason != "" {
		return &confirm.Loaded{UID: uid, Error: reason}
	}
	var secret corev1.Secret
	key := types.NamespacedName{Namespace: namespace, Name: meta.RouteName(types.UID(uid))}
	if err := r.cluster.Client.Get(request.Context(), key, &secret); err != nil {
		return nil
	}
	endpoint, err := route.Unmarshal(secret.Data[meta.RouteKey])
	if err != nil {
		return &confirm.Loaded{UID: uid, Error: strings.TrimSpace(err.Error())}
	}
	return &confirm.Loaded{UID: uid, Hash: endpoint.Hash(), Generation: endpoint.Generation}
}
