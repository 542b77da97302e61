package deliver_test

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/deliver"
	"github.com/postern-dev/postern/receiver/deliver/outbound"
)

// wire is a network of one host inside a synctest bubble: real HTTP, as the
// engine and net/http speak it, over connections in memory.
type wire struct {
	handler http.Handler
	server  *http.Server
	// talks are connections that do not lead to the server.
	talks    sync.WaitGroup
	incoming chan net.Conn

	mu sync.Mutex
	// connect decides about a connection: nil makes one to the server.
	connect  func(ctx context.Context) (net.Conn, error)
	dials    int
	open     int
	mostOpen int
}

func newWire(t *testing.T, handler http.HandlerFunc) *wire {
	t.Helper()
	w := &wire{handler: handler, incoming: make(chan net.Conn)}
	w.server = &http.Server{Handler: handler, ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: time.Hour}
	var serving sync.WaitGroup
	serving.Go(func() { _ = w.server.Serve(w) })
	t.Cleanup(func() {
		_ = w.server.Close()
		serving.Wait()
		w.talks.Wait()
	})
	return w
}

// transport is what makes an engine use the wire.
func (w *wire) transport(o *deliver.Options) {
	o.Transport, o.Network = nil, outbound.Network{Dial: w.dial}
}

func (w *wire) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	w.mu.Lock()
	w.dials++
	connect := w.connect
	w.mu.Unlock()
	if connect != nil {
		return connect(ctx)
	}
	client, server := net.Pipe()
	select {
	case w.incoming <- server:
		return client, nil
	case <-ctx.Done():
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: ctx.Err()}
	}
}

func (w *wire) set(connect func(context.Context) (net.Conn, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.connect = connect
}

func (w *wire) dialled() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dials
}

// Accept implements net.Listener.
func (w *wire) Accept() (net.Conn, error) {
	conn, ok := <-w.incoming
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

// Close implements net.Listener.
func (w *wire) Close() error {
	close(w.incoming)
	return nil
}

// Addr implements net.Listener.
func (*wire) Addr() net.Addr { return &net.TCPAddr{} }

// refuse answers as a host without a listener does.
func refuse(context.Context) (net.Conn, error) {
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
}

// swallow answers as a host that is gone: never.
func swallow(ctx context.Context) (net.Conn, error) {
	<-ctx.Done()
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: ctx.Err()}
}
