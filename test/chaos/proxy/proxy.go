// Package proxy stands between two processes and does to their connections what
// a bad network or a dying peer does: it cuts them after a number of bytes,
// resets, delays, stalls and refuses them.
//
// It imports the standard library only and knows no protocol.
package proxy

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// dialTimeout bounds connecting to the other side.
const dialTimeout = 2 * time.Second

// Direction is a way through the proxy.
type Direction int

// Directions.
const (
	// Requests go to the server.
	Requests Direction = iota
	// Replies come from it.
	Replies
)

// Proxy forwards the connections of one listener. Its methods may be called at
// any time and by anybody.
type Proxy struct {
	listener net.Listener
	network  string
	upstream string

	refusing atomic.Bool
	delay    atomic.Int64
	gate     atomic.Pointer[chan struct{}]
	cut      atomic.Pointer[cut]

	mu     sync.Mutex
	links  map[*link]struct{}
	closed bool
	work   sync.WaitGroup
}

// Listen forwards what comes to an address, as "unix" or "tcp", to another of
// the same network.
func Listen(network, address, upstream string) (*Proxy, error) {
	if network == "unix" {
		if err := os.Remove(address); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	listener, err := net.Listen(network, address)
	if err != nil {
		return nil, err
	}
	p := &Proxy{listener: listener, network: network, upstream: upstream, links: map[*link]struct{}{}}
	p.work.Go(p.accept)
	return p, nil
}

// Address is where the proxy listens.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// Close ends the proxy and its connections.
func (p *Proxy) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	_ = p.listener.Close()
	p.Reset()
	p.work.Wait()
}

// Reset closes every connection and returns their number.
func (p *Proxy) Reset() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.close()
	}
	return len(p.links)
}

// Refuse closes new connections at once, or no longer.
func (p *Proxy) Refuse(on bool) { p.refusing.Store(on) }

// Delay holds everything back for a while, in both directions; 0 ends that.
func (p *Proxy) Delay(d time.Duration) { p.delay.Store(int64(d)) }

// Stall keeps everything that is sent, without closing anything, or lets go of it.
func (p *Proxy) Stall(on bool) {
	if on {
		gate := make(chan struct{})
		p.gate.CompareAndSwap(nil, &gate)
		return
	}
	if gate := p.gate.Swap(nil); gate != nil {
		close(*gate)
	}
}

// Cut lets exactly after more bytes of one direction through on whichever
// connection comes to that first; then it calls hit, if set, and closes the
// connection. The channel is closed when that was done. Another cut replaces it.
func (p *Proxy) Cut(direction Direction, after int64, hit func()) <-chan struct{} {
	c := &cut{direction: direction, after: after, hit: hit, done: make(chan struct{})}
	p.cut.Store(c)
	return c.done
}

// Uncut takes back a cut that was not reached.
func (p *Proxy) Uncut() { p.cut.Store(nil) }

func (p *Proxy) accept() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		if p.refusing.Load() {
			near.Close()
			continue
		}
		p.work.Go(func() { p.serve(near) })
	}
}

func (p *Proxy) serve(near net.Conn) {
	defer near.Close()
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
	defer cancel()
	far, err := (&net.Dialer{}).DialContext(ctx, p.network, p.upstream)
	if err != nil {
		return
	}
	l := &link{near: near, far: far, ended: make(chan struct{})}
	p.mu.Lock()
	closed := p.closed
	p.links[l] = struct{}{}
	p.mu.Unlock()
	if closed {
		l.close()
	}
	var both sync.WaitGroup
	both.Go(func() { p.pump(l, Requests, near, far) })
	both.Go(func() { p.pump(l, Replies, far, near) })
	both.Wait()
	p.mu.Lock()
	delete(p.links, l)
	p.mu.Unlock()
}

// pump copies one direction until the link is closed.
func (p *Proxy) pump(l *link, direction Direction, from, to net.Conn) {
	defer l.close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil || !p.hold(l) {
			return
		}
		c := p.cut.Load()
		if c == nil || c.direction != direction {
			c = nil
		}
		allowed := n
		if c != nil {
			allowed = c.allow(l, n)
		}
		if _, err := to.Write(buffer[:allowed]); err != nil {
			return
		}
		if allowed < n {
			c.fire(l)
			return
		}
	}
}

// hold waits as long as it must, and says whether the link is still open.
func (p *Proxy) hold(l *link) bool {
	if wait := time.Duration(p.delay.Load()); wait > 0 {
		select {
		case <-time.After(wait):
		case <-l.ended:
			return false
		}
	}
	if gate := p.gate.Load(); gate != nil {
		select {
		case <-*gate:
		case <-l.ended:
			return false
		}
	}
	return true
}

// link is one connection and its other half.
type link struct {
	near, far net.Conn
	once      sync.Once
	ended     chan struct{}
}

func (l *link) close() {
	l.once.Do(func() {
		close(l.ended)
		l.near.Close()
		l.far.Close()
	})
}

// cut is where the next connection ends.
type cut struct {
	direction Direction
	after     int64
	hit       func()
	done      chan struct{}
	once      sync.Once

	mu     sync.Mutex
	passed map[*link]int64
	fired  bool
}

// allow returns how many of n bytes may pass.
func (c *cut) allow(l *link, n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fired {
		return n
	}
	if c.passed == nil {
		c.passed = map[*link]int64{}
	}
	left := c.after - c.passed[l]
	c.passed[l] += int64(n)
	if left >= int64(n) {
		return n
	}
	c.fired = true
	return int(left)
}

func (c *cut) fire(l *link) {
	c.once.Do(func() {
		if c.hit != nil {
			c.hit()
		}
		l.close()
		close(c.done)
	})
}
