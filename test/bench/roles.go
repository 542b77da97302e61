package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"runtime/pprof"
	"strings"
	"sync/atomic"
	"time"

	"github.com/postern-dev/postern/cli/dataplane"
	"github.com/postern-dev/postern/receiver/deliver/outbound"
	"github.com/postern-dev/postern/receiver/queue/acl"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/route/routetest"
	"github.com/postern-dev/postern/receiver/server"
	"github.com/postern-dev/postern/receiver/table"
)

// The endpoints of the receiver.
const (
	// endpointKept keeps its events: it is suspended.
	endpointKept = "kept"
	// endpointDelivered delivers to the target and keeps a history.
	endpointDelivered = "delivered"
	// endpointForgotten delivers too and keeps marks alone.
	endpointForgotten = "forgotten"
	// endpointDead has a target where nobody listens.
	endpointDead = "dead"
)

// announce tells the process that started this one where it listens.
func announce(addr net.Addr) { fmt.Printf("listening %s\n", addr) }

func serve(ctx context.Context, handler http.Handler) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	announce(listener.Addr())
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// servePlain verifies and answers; it stores nothing.
func servePlain(ctx context.Context) error {
	return serve(ctx, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			http.Error(w, "bad body", http.StatusBadRequest)
			return
		}
		text, _ := strings.CutPrefix(r.Header.Get("X-Hub-Signature-256"), "sha256=")
		signature, err := hex.DecodeString(text)
		hash := hmac.New(sha256.New, []byte(routetest.Key))
		hash.Write(body)
		if err != nil || !hmac.Equal(signature, hash.Sum(nil)) {
			http.Error(w, "bad signature", http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, `{"status":"accepted"}`)
	}))
}

// serveTarget takes every delivery and tells how many there were.
func serveTarget(ctx context.Context) error {
	var delivered atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("POST /hook", func(_ http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err == nil {
			delivered.Add(1)
		}
	})
	mux.HandleFunc("GET /count", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, delivered.Load()) })
	return serve(ctx, mux)
}

// serveReceiver is a receiver as `postern receiver` puts it together, with
// routes that are given instead of watched.
func serveReceiver(ctx context.Context, o options) error {
	target, err := url.Parse(o.target)
	if err != nil {
		return err
	}
	if o.profile != "" {
		file, err := os.Create(o.profile)
		if err != nil {
			return err
		}
		defer file.Close()
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	var running *server.Server
	return dataplane.Run(ctx, dataplane.Options{
		Listen: "127.0.0.1:0", Internal: "127.0.0.1:0",
		Store: dataplane.StoreOptions{URL: o.store, User: acl.Username, Exclusive: true},
		Network: outbound.Network{Forward: map[string]*url.URL{
			"ci/builder": target, "ci/nobody": {Scheme: "http", Host: "127.0.0.1:1"},
		}},
		Source: func(ctx context.Context, emit func(route.Set)) error {
			emit(route.Set{Routes: endpoints()})
			<-ctx.Done()
			return nil
		},
		Loaded: func(*table.Table) { announce(running.Addr()) },
		Logger: slog.New(slog.NewJSONHandler(os.Stderr, nil)),
	}, func(s *server.Server) { running = s })
}

func endpoints() []*route.Endpoint {
	return []*route.Endpoint{
		routetest.GitHub(endpointKept, func(e *route.Endpoint) { e.Suspend = true }),
		routetest.GitHub(endpointDelivered),
		routetest.GitHub(endpointForgotten, func(e *route.Endpoint) { e.HistoryLimit = 0 }),
		routetest.GitHub(endpointDead, func(e *route.Endpoint) { e.Targets = []route.Target{routetest.Target("nobody")} }),
	}
}
