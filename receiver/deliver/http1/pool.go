package http1

import (
	"sync"
	"time"
)

// pool holds the connections that nobody uses.
type pool struct {
	mu sync.Mutex
	// idle are the connections to each address, the one used last at the end.
	idle     map[string][]*conn
	sweeping bool
}

// get takes the connection to an address that was used last and is still open; nil without one.
func (p *pool) get(address string, timeout time.Duration) *conn {
	oldest := time.Now().Add(-timeout)
	for {
		c := p.pop(address)
		if c == nil {
			return nil
		}
		if c.idleSince.After(oldest) && c.open() {
			return c
		}
		_ = c.Close()
	}
}

func (p *pool) pop(address string) *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	idle := p.idle[address]
	if len(idle) == 0 {
		return nil
	}
	last := len(idle) - 1
	c := idle[last]
	idle[last] = nil
	p.idle[address] = idle[:last]
	return c
}

func (p *pool) put(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.idleSince = time.Now()
	if p.idle == nil {
		p.idle = map[string][]*conn{}
	}
	p.idle[c.address] = append(p.idle[c.address], c)
	if !p.sweeping {
		p.sweeping = true
		time.AfterFunc(c.transport.IdleTimeout, func() { p.sweep(c.transport.IdleTimeout) })
	}
}

// sweep closes what nobody has used for long, as long as there is anything.
func (p *pool) sweep(timeout time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	oldest := time.Now().Add(-timeout)
	for address, idle := range p.idle {
		old := 0
		for old < len(idle) && !idle[old].idleSince.After(oldest) {
			_ = idle[old].Close()
			old++
		}
		if old == len(idle) {
			delete(p.idle, address)
			continue
		}
		p.idle[address] = append([]*conn(nil), idle[old:]...)
	}
	p.sweeping = len(p.idle) > 0
	if p.sweeping {
		time.AfterFunc(timeout/2, func() { p.sweep(timeout) })
	}
}

func (p *pool) closeAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, idle := range p.idle {
		for _, c := range idle {
			_ = c.Close()
		}
	}
	clear(p.idle)
}
