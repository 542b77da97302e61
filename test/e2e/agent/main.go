// Command agent is the end-to-end tests' hand inside the cluster: it is the
// target of events, it runs `postern send` and sends load, so that requests come
// from where real ones come from, and on a node it kills. The tests reach it
// through the API server's pod proxy.
//
//	:8080  the target; records what arrives
//	:9090  GET /events, PUT /answer?status=N, POST /run, PUT /load, DELETE /load, POST /kill?pod=UID
package main

import (
	"context"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	target, load := &target{status: http.StatusNoContent}, &load{}
	control := http.NewServeMux()
	control.HandleFunc("GET /events", target.list)
	control.HandleFunc("PUT /answer", target.setAnswer)
	control.HandleFunc("POST /run", runPostern)
	control.HandleFunc("PUT /load", load.begin)
	control.HandleFunc("DELETE /load", load.end)
	control.HandleFunc("POST /kill", killPod)
	errs := make(chan error, 2)
	for address, handler := range map[string]http.Handler{":8080": http.HandlerFunc(target.receive), ":9090": control} {
		server := &http.Server{Addr: address, Handler: handler, ReadHeaderTimeout: 10 * time.Second}
		go func() { errs <- server.ListenAndServe() }()
	}
	select {
	case err := <-errs:
		log.Fatalf("agent: %v", err)
	case <-ctx.Done():
	}
}

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(value); err != nil {
		log.Printf("agent: answer: %v", err)
	}
}
