package ingest

import (
	"context"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
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

// TestRoomIsWaitedFor: in the order in which requests came, but for those whose
// share is used up, and not for ever.
func TestRoomIsWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const limit = 16 * unreadBytes
		b := newBudget(limit)
		greedy := &holding{budget: b, endpoint: "a1", namespace: "a", client: first}
		greedy.take(limit / 2)
		var granted []string
		want := func(name, endpoint, namespace string, client netip.Addr, bytes int64) {
			h := &holding{budget: b, endpoint: endpoint, namespace: namespace, client: client}
			go func() {
				if h.await(t.Context(), bytes, time.Second) {
					granted = append(granted, name)
				}
			}()
			synctest.Wait()
		}
		want("same endpoint", "a1", "a", first, limit/8)
		want("same namespace, too much for it", "a2", "a", first, limit/2)
		want("another", "b1", "b", second, limit/8)
		if !slices.Equal(granted, []string{"another"}) {
			t.Fatalf("%q have room, want the other tenant alone", granted)
		}
		greedy.release(limit / 4)
		synctest.Wait()
		if want := []string{"another", "same endpoint"}; !slices.Equal(granted, want) {
			t.Errorf("%q have room, want %q", granted, want)
		}
		<-time.After(2 * time.Second)
		synctest.Wait()
		if len(granted) != 2 || len(b.waiting) != 0 {
			t.Errorf("%q have room and %d wait after their time", granted, len(b.waiting))
		}
		b.resize(2 * limit)
		want("with more for all", "a2", "a", first, limit/2)
		if len(granted) != 3 {
			t.Errorf("%q have room after there is more", granted)
		}
	})
}

// TestWhatIsNotWaitedFor: more than an endpoint can ever have, and room that
// enough others wait for.
func TestWhatIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const limit = 4 * unreadBytes
		b := newBudget(limit)
		start := time.Now()
		large := &holding{budget: b}
		if large.await(t.Context(), limit/2+1, time.Minute) || time.Since(start) > 0 {
			t.Errorf("too much was waited for during %v", time.Since(start))
		}
		greedy := &holding{budget: b}
		greedy.take(limit / 2)
		ctx, leave := context.WithCancel(t.Context())
		for range limit / unreadBytes {
			go func() { (&holding{budget: b}).await(ctx, 1, time.Minute) }()
		}
		synctest.Wait()
		if (&holding{budget: b}).await(t.Context(), 1, time.Minute) || time.Since(start) > 0 {
			t.Errorf("one more than may wait waited for %v", time.Since(start))
		}
		leave()
		synctest.Wait()
		if len(b.waiting) != 0 {
			t.Errorf("%d wait whose senders are gone", len(b.waiting))
		}
	})
}
