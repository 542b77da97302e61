// Command agent is the end-to-end tests' hand inside the cluster: it is the
// target of events, and it runs `postern send`, so that requests come from where
// real ones come from. The tests reach it through the API server's pod proxy.
//
//	:8080  the target; records what arrives
//	:9090  GET /events, PUT /answer?status=N, POST /run
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/postern-dev/postern/test/e2e/wire"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	a := &agent{status: http.StatusNoContent}
	control := http.NewServeMux()
	control.HandleFunc("GET /events", a.listEvents)
	control.HandleFunc("PUT /answer", a.setAnswer)
	control.HandleFunc("POST /run", runPostern)
	errs := make(chan error, 2)
	for address, handler := range map[string]http.Handler{":8080": http.HandlerFunc(a.target), ":9090": control} {
		server := &http.Server{Addr: address, Handler: handler, ReadHeaderTimeout: 10 * time.Second}
		go func() { errs <- server.ListenAndServe() }()
	}
	select {
	case err := <-errs:
		log.Fatalf("agent: %v", err)
	case <-ctx.Done():
	}
}

type agent struct {
	mu     sync.Mutex
	status int
	events []wire.Event
}

// target records a delivery that it accepts, and only that one: a refused
// attempt did not arrive.
func (a *agent) target(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.status < 300 {
		a.events = append(a.events, wire.Event{
			ID: r.Header.Get("Postern-Event-Id"), Path: r.URL.Path, Header: r.Header, Body: body,
		})
	}
	w.WriteHeader(a.status)
}

func (a *agent) listEvents(w http.ResponseWriter, _ *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	answer(w, a.events)
}

func (a *agent) setAnswer(w http.ResponseWriter, r *http.Request) {
	status, err := strconv.Atoi(r.URL.Query().Get("status"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.status = status
}

// runPostern runs the binary beside this one with the files that it needs.
func runPostern(w http.ResponseWriter, r *http.Request) {
	var order wire.Run
	if err := json.NewDecoder(r.Body).Decode(&order); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	folder, err := os.MkdirTemp("", "run-")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer os.RemoveAll(folder)
	for name, content := range order.Files {
		if err := os.WriteFile(filepath.Join(folder, filepath.Base(name)), content, 0o600); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	ctx, cancel := context.WithTimeout(r.Context(), 30*time.Second)
	defer cancel()
	var out, complaint bytes.Buffer
	command := exec.CommandContext(ctx, "/postern", order.Arguments...)
	command.Dir, command.Stdout, command.Stderr = folder, &out, &complaint
	result := wire.Result{}
	var exit *exec.ExitError
	if err := command.Run(); errors.As(err, &exit) {
		result.Code = exit.ExitCode()
	} else if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	result.Output, result.Complaint = out.String(), complaint.String()
	answer(w, result)
}

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(value); err != nil {
		log.Printf("agent: answer: %v", err)
	}
}
