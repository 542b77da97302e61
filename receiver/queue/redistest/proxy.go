package redistest

import (
	"bytes"
	"context"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// Proxy stands between a client and a server, and can swallow the answers of
// scripts: then they are done, and nobody is told. Connections can still be made.
type Proxy struct {
	listener net.Listener
	server   *Server
	talks    sync.WaitGroup

	muted atomic.Bool
	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

// StartProxy starts a proxy that hides nothing yet; it ends with the test.
func StartProxy(t testing.TB, server *Server) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.WithoutCancel(t.Context())
	p := &Proxy{listener: listener, server: server, conns: map[net.Conn]struct{}{}}
	p.talks.Go(func() { p.serve(ctx) })
	t.Cleanup(func() {
		_ = listener.Close()
		p.cut()
		p.talks.Wait()
	})
	return p
}

// URL is that of the server, through the proxy.
func (p *Proxy) URL() string { return "redis://" + p.listener.Addr().String() }

// Mute swallows, from now on, what is answered on connections that run a script.
func (p *Proxy) Mute() { p.muted.Store(true) }

// Restore cuts all connections, so that the answers swallowed are lost for good,
// and lets those of new ones pass.
func (p *Proxy) Restore() {
	p.muted.Store(false)
	p.cut()
}

func (p *Proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.conns {
		_ = conn.Close()
		delete(p.conns, conn)
	}
}

func (p *Proxy) serve(ctx context.Context) {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := new(net.Dialer).DialContext(ctx, "unix", p.server.Socket())
		if err != nil {
			_ = client.Close()
			continue
		}
		p.mu.Lock()
		p.conns[client], p.conns[server] = struct{}{}, struct{}{}
		p.mu.Unlock()
		var silent atomic.Bool
		p.talks.Go(func() {
			p.forward(server, client, func(request []byte) bool {
				if p.muted.Load() && bytes.Contains(request, []byte("EVALSHA")) {
					silent.Store(true)
				}
				return true
			})
		})
		p.talks.Go(func() { p.forward(client, server, func([]byte) bool { return !silent.Load() }) })
	}
}

// forward copies what may pass until either side is closed, and then closes both.
func (p *Proxy) forward(to, from net.Conn, pass func([]byte) bool) {
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, conn := range []net.Conn{to, from} {
			_ = conn.Close()
			delete(p.conns, conn)
		}
	}()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 && pass(buffer[:n]) {
			if _, failure := to.Write(buffer[:n]); failure != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
