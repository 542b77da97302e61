package server

import (
	"net"
	"net/netip"
	"sync"

	"golang.org/x/net/netutil"

	"github.com/postern-dev/postern/receiver/ingest"
)

const (
	// maxConnections is the most that a receiver has; less memory makes it fewer.
	maxConnections = 4096
	// connectionCost is what a connection holds that says nothing.
	connectionCost = 32 << 10
)

// fairListener closes connections of a client that would have more than are
// left for others, so that nobody alone keeps the others waiting. Further
// connections than there may be in all wait to be accepted.
type fairListener struct {
	net.Listener
	most int
	// exempt are proxies, whose address stands for many clients.
	exempt []netip.Prefix

	mu    sync.Mutex
	total int
	open  map[netip.Addr]int
}

func newFairListener(listener net.Listener, most int, exempt []netip.Prefix) *fairListener {
	return &fairListener{
		Listener: netutil.LimitListener(listener, most), most: most, exempt: exempt, open: map[netip.Addr]int{},
	}
}

// Accept returns the next connection that its client may have.
func (l *fairListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		peer, _ := netip.ParseAddrPort(conn.RemoteAddr().String()) // one without a port is a client of its own
		client := ingest.ClientKey(peer.Addr())
		if l.admit(client, ingest.IsTrusted(client, l.exempt)) {
			return &countedConn{Conn: conn, gone: sync.OnceFunc(func() { l.release(client) })}, nil
		}
		_ = conn.Close()
	}
}

func (l *fairListener) admit(client netip.Addr, exempt bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	left := l.most - l.total - 1
	if !exempt && l.open[client]+1 > max(left, 1) {
		return false
	}
	l.total++
	l.open[client]++
	return true
}

func (l *fairListener) release(client netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total--
	if l.open[client]--; l.open[client] == 0 {
		delete(l.open, client)
	}
}

// countedConn counts until it is closed.
type countedConn struct {
	net.Conn
	gone func()
}

func (c *countedConn) Close() error {
	defer c.gone()
	return c.Conn.Close()
}
