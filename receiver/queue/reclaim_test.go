package queue_test

import (
	"errors"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/queue/acl"
	"github.com/postern-dev/postern/receiver/queue/redistest"
	"github.com/postern-dev/postern/test/wait"
)

func openSidecar(t *testing.T, server *redistest.Server, exclusive bool) *queue.Redis {
	t.Helper()
	return open(t, server, queue.Options{Username: acl.Username, Exclusive: exclusive})
}

func startSidecar(t *testing.T) *redistest.Server {
	t.Helper()
	return redistest.Start(t, redistest.WithArgs(acl.ServerArgs()...), redistest.WithUser(acl.Username))
}

func claimed(t *testing.T, store *queue.Redis, limit int) map[string]queue.Lease {
	t.Helper()
	leases := map[string]queue.Lease{}
	for {
		deliveries, err := store.Claim(t.Context(), builder, limit, leaseFor)
		if err != nil {
			t.Fatalf("Claim: %v", err)
		}
		if len(deliveries) == 0 {
			return leases
		}
		for _, delivery := range deliveries {
			leases[delivery.Lease.EventID] = delivery.Lease
		}
	}
}

// TestExclusiveEndsInheritedLeases has more leases than one batch, and between
// them events that are delayed and must stay so.
func TestExclusiveEndsInheritedLeases(t *testing.T) {
	t.Parallel()
	server := startSidecar(t)
	before := openSidecar(t, server, true)
	const events, delayedEvery = 2300, 100
	held := map[string]queue.Lease{}
	for i := range events {
		lease := mustAdmit(t, before, admission(numbered(i), 0)).Leases[0]
		if i%delayedEvery != 0 {
			held[lease.EventID] = lease
			continue
		}
		retry := queue.Settlement{Outcome: queue.Retry, After: leaseFor / 2, Attempt: &queue.Attempt{Status: 500}}
		if err := before.Settle(t.Context(), lease, retry); err != nil {
			t.Fatalf("Settle: %v", err)
		}
	}

	if shared := openSidecar(t, server, false); len(claimed(t, shared, 100)) != 0 {
		t.Error("a process that shares the store took leases that have not run out")
	}
	now := openSidecar(t, server, true)
	got := claimed(t, now, 100)
	if len(got) != len(held) {
		t.Errorf("%d events were due at once, want the %d that were leased and not the delayed ones", len(got), len(held))
	}
	for id, lease := range held {
		if got[id].Fence <= lease.Fence || got[id].Attempts != 0 {
			t.Fatalf("event %s came back as %+v, want a fence above %d and no attempt", id, got[id], lease.Fence)
		}
	}
	one := held[numbered(1)]
	if err := before.Settle(t.Context(), one, queue.Settlement{Outcome: queue.Done}); !errors.Is(err, queue.ErrLeaseLost) {
		t.Errorf("the holder before settled with %v, want ErrLeaseLost", err)
	}
}

func TestExclusiveKeepsItsOwnLeases(t *testing.T) {
	t.Parallel()
	server := startSidecar(t)
	store := openSidecar(t, server, true)
	mustAdmit(t, store, admission(numbered(1), 0))
	server.Restart(t)
	wait.For(t, "the store", func() error { return store.Check(t.Context()) })
	// Each connection of before may fail one call.
	wait.For(t, "the store", func() error {
		deliveries, err := store.Claim(t.Context(), builder, 10, leaseFor)
		if len(deliveries) != 0 {
			t.Fatalf("leases of this process ended when the store came back: %v", deliveries)
		}
		return err
	})
}

// TestExclusiveWaitsForItsStore starts before the store does: nothing may be
// claimed until the old leases are ended, or new ones could be ended with them.
func TestExclusiveWaitsForItsStore(t *testing.T) {
	t.Parallel()
	server := startSidecar(t)
	mustAdmit(t, openSidecar(t, server, true), admission(numbered(1), 0))
	server.Kill(t)

	store := open(t, server, queue.Options{
		Username: acl.Username, Exclusive: true, PollInterval: 10 * time.Millisecond,
	})
	wantUnavailable(t, store)
	if _, err := store.Claim(t.Context(), builder, 1, leaseFor); !errors.Is(err, queue.ErrUnavailable) {
		t.Errorf("Claim returned %v, want ErrUnavailable", err)
	}
	if _, err := store.Depths(t.Context(), []queue.ID{builder}); !errors.Is(err, queue.ErrUnavailable) {
		t.Errorf("Depths returned %v, want ErrUnavailable", err)
	}
	server.Restart(t)
	wait.For(t, "the store", func() error {
		deliveries, err := store.Claim(t.Context(), builder, 1, leaseFor)
		if err == nil && len(deliveries) != 1 {
			t.Fatalf("Claim returned %v, want the inherited event with the first answer", deliveries)
		}
		return err
	})
}
