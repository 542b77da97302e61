package ingest

import (
	"net/netip"
	"testing"
	"time"
)

var (
	first  = netip.MustParseAddr("192.0.2.1")
	second = netip.MustParseAddr("192.0.2.2")
)

// fill takes bytes until there are no more and returns how many there were.
func fill(holding *holding) int64 {
	for holding.take(1) {
	}
	return holding.bytes
}

// TestSharesLeaveRoom: one endpoint, one namespace and one client alone get so
// much of the budget, and whoever comes then finds room.
func TestSharesLeaveRoom(t *testing.T) {
	t.Parallel()
	const limit = 6000
	b := newBudget(limit)
	greedy := holding{budget: b, endpoint: "a1", namespace: "a", client: first}
	if got := fill(&greedy); got != limit/2 {
		t.Errorf("an endpoint alone has %d of %d", got, limit)
	}
	sibling := holding{budget: b, endpoint: "a2", namespace: "a", client: first}
	if got := fill(&sibling) + greedy.bytes; got != limit*2/3 {
		t.Errorf("a namespace alone has %d of %d", got, limit)
	}
	stranger := holding{budget: b, endpoint: "b1", namespace: "b", client: first}
	if got := fill(&stranger) + sibling.bytes + greedy.bytes; got != limit*4/5 {
		t.Errorf("a client alone has %d of %d", got, limit)
	}
	if stranger.bytes < limit/10 {
		t.Errorf("another namespace at the same client found room for %d only", stranger.bytes)
	}
	newcomer := holding{budget: b, endpoint: "c1", namespace: "c", client: second}
	if got := fill(&newcomer); got < limit/20 {
		t.Errorf("another client found room for %d only", got)
	}
	for _, holding := range []*holding{&greedy, &sibling, &stranger, &newcomer} {
		holding.release(holding.bytes)
	}
	if b.used != 0 || len(b.endpoints.held)+len(b.namespaces.held)+len(b.clients.held) != 0 {
		t.Errorf("after all were released: %d used, %v %v %v", b.used, b.endpoints.held, b.namespaces.held, b.clients.held)
	}
}

// TestClientKeyIsOneForANetwork: who has one address of IPv6 has 2^64 of them.
func TestClientKeyIsOneForANetwork(t *testing.T) {
	t.Parallel()
	for spelled, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:db8::1": "2001:db8::",
		"2001:db8::ffff:1": "2001:db8::", "2001:db8:0:1::1": "2001:db8:0:1::", "fe80::1%eth0": "fe80::",
	} {
		if got := ClientKey(netip.MustParseAddr(spelled)); got.String() != want {
			t.Errorf("%s counts as %s, want %s", spelled, got, want)
		}
	}
}

// TestPace: a burst is answered at once, what is steady at the rate too, and a
// flood waits, but never longer than the longest pause. Another client's
// refusals are not in its way, and the past is forgotten.
func TestPace(t *testing.T) {
	t.Parallel()
	var p pace
	now := time.Unix(1000, 0)
	for i := range refusalBurst {
		if pause := p.pause(first, now); pause != 0 {
			t.Fatalf("refusal %d of a burst waits %s", i, pause)
		}
	}
	for range 1000 {
		if pause := p.pause(first, now); pause <= 0 || pause > longestPause {
			t.Fatalf("a refusal of the flood waits %s", pause)
		}
	}
	if pause := p.pause(second, now); pause != 0 {
		t.Errorf("another client waits %s", pause)
	}
	now = now.Add(burstTime + longestPause)
	for i := range 1000 {
		now = now.Add(refusalInterval)
		if pause := p.pause(first, now); pause != 0 {
			t.Fatalf("refusal %d of a steady client waits %s", i, pause)
		}
	}
	if len(p.due) != 1 {
		t.Errorf("%d clients are remembered, want the last one", len(p.due))
	}
}
