package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// delivery is one request that a target got.
type delivery struct {
	path   string
	header http.Header
	body   []byte
}

// target is the little server that stands for a tenant's Service. It can be
// stopped and started again on the same address.
type target struct {
	address string

	mu       sync.Mutex
	server   *http.Server
	received []delivery
}

func newTarget() (*target, error) {
	t := &target{address: "127.0.0.1:0"}
	return t, t.start()
}

func (t *target) start() error {
	listener, err := net.Listen("tcp", t.address)
	if err != nil {
		return err
	}
	t.address = listener.Addr().String()
	server := &http.Server{Handler: t, ReadHeaderTimeout: 5 * time.Second}
	t.mu.Lock()
	t.server = server
	t.mu.Unlock()
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			fmt.Printf("target: %v\n", err)
		}
	}()
	return nil
}

// stop closes the socket and its connections: nobody is there any more.
func (t *target) stop() {
	t.mu.Lock()
	server := t.server
	t.mu.Unlock()
	_ = server.Close()
}

// ServeHTTP records the request and answers 204.
func (t *target) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	t.mu.Lock()
	t.received = append(t.received, delivery{path: r.URL.Path, header: r.Header.Clone(), body: body})
	t.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}

// event returns the deliveries of one event.
func (t *target) event(id string) []delivery {
	t.mu.Lock()
	defer t.mu.Unlock()
	var found []delivery
	for _, d := range t.received {
		if d.header.Get("Postern-Event-Id") == id {
			found = append(found, d)
		}
	}
	return found
}

// await returns the first delivery of an event, once it is there.
func (t *target) await(ctx context.Context, id string) (delivery, error) {
	var got delivery
	err := until(ctx, "delivery of event "+id, func(context.Context) error {
		found := t.event(id)
		if len(found) == 0 {
			return errors.New("the target has not got it")
		}
		got = found[0]
		return nil
	})
	return got, err
}
