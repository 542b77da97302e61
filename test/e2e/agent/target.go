package main

import (
	"io"
	"net/http"
	"strconv"
	"sync"

	"github.com/postern-dev/postern/test/e2e/wire"
)

// target is a Service that events are delivered to.
type target struct {
	mu     sync.Mutex
	status int
	events []wire.Event
}

// receive records a delivery that it accepts, and only that one: a refused
// attempt did not arrive.
func (t *target) receive(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.status < 300 {
		t.events = append(t.events, wire.Event{
			ID: r.Header.Get("Postern-Event-Id"), Path: r.URL.Path, Header: r.Header, Body: body,
		})
	}
	w.WriteHeader(t.status)
}

func (t *target) list(w http.ResponseWriter, _ *http.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	answer(w, t.events)
}

func (t *target) setAnswer(w http.ResponseWriter, r *http.Request) {
	status, err := strconv.Atoi(r.URL.Query().Get("status"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.status = status
}
