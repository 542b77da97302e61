package ingest

import (
	"maps"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

const (
	// A client's refusals are answered at once up to refusalBurst of them and
	// refusalsPerSecond, and at most longestPause later beyond that. A client that
	// waits for its answers gets slower by it; its requests that are accepted are
	// answered at once as before.
	refusalsPerSecond = 100
	refusalBurst      = 200
	longestPause      = time.Second

	refusalInterval = time.Second / refusalsPerSecond
	burstTime       = refusalBurst * refusalInterval
)

// pace slows down the answers to clients whose requests are refused one after
// the other, so that their load leaves the processor to the others.
type pace struct {
	mu sync.Mutex
	// due is when the client's refusals so far would be over at their rate.
	due map[netip.Addr]time.Time
	// swept is when those were last forgotten that are not late.
	swept time.Time
}

// pause counts one refusal and returns how long its answer waits.
func (p *pace) pause(client netip.Addr, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.due == nil {
		p.due = map[netip.Addr]time.Time{}
	}
	if now.Sub(p.swept) >= burstTime {
		maps.DeleteFunc(p.due, func(_ netip.Addr, due time.Time) bool { return due.Before(now) })
		p.swept = now
	}
	due := p.due[client]
	if due.Before(now) {
		due = now
	}
	due = due.Add(refusalInterval)
	if latest := now.Add(burstTime + longestPause); due.After(latest) {
		due = latest
	}
	p.due[client] = due
	return max(0, due.Sub(now)-burstTime)
}

// slow waits before a refusal that is the client's own fault. What the request
// holds beside its head is given up first.
func (h *Handler) slow(x *exchange, reply *answer) {
	if reply.outcome != OutcomeRejected || reply.status >= http.StatusInternalServerError || x.event != nil {
		return
	}
	pause := h.pace.pause(ClientKey(x.client), h.Now())
	if pause == 0 {
		return
	}
	x.body, x.reader = nil, nil
	x.holding.release(x.holding.bytes - headCost(x.request))
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-x.request.Context().Done():
	}
}
