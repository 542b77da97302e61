package queue_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/queue/redistest"
	"github.com/postern-dev/postern/test/wait"
)

// answerless runs a step whose answer is lost after the store has done it.
func answerless(t *testing.T, proxy *redistest.Proxy, done func() bool, step func(context.Context)) {
	t.Helper()
	proxy.Mute()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		step(context.WithoutCancel(t.Context()))
	}()
	wait.For(t, "the store", func() error {
		if done() {
			return nil
		}
		return errors.New("the store has not done it yet")
	})
	proxy.Restore()
	<-ended
}

// loadClaim has the store load the script: else it would answer only that it has none.
func loadClaim(t *testing.T, store *queue.Redis) {
	t.Helper()
	if _, err := store.Claim(t.Context(), builder, 1, leaseFor); err != nil {
		t.Fatalf("Claim: %v", err)
	}
}

func TestLostAnswerOfAClaimLeasesNothing(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	proxy := redistest.StartProxy(t, server)
	store := open(t, server, queue.Options{URL: proxy.URL(), StepTimeout: time.Minute})
	loadClaim(t, store)
	for i := range 3 {
		next := admission(numbered(i), 0)
		next.LeaseFor = 0
		mustAdmit(t, store, next)
	}
	state := func(i int) string { return server.Do(t, "HGET", "p:{"+uid+"}:states", numbered(i)) }
	leased := func() bool { return strings.Contains(state(0), " l ") }
	var first string
	answerless(t, proxy, leased, func(ctx context.Context) {
		if _, err := store.Claim(ctx, builder, 2, leaseFor); !errors.Is(err, queue.ErrUnavailable) {
			t.Errorf("Claim returned %v, want ErrUnavailable", err)
		}
		first = state(0)
	})
	// And that of the one after it: it took the same events.
	again := func() bool { return state(0) != first }
	answerless(t, proxy, again, func(ctx context.Context) {
		for !again() {
			_, _ = store.Claim(ctx, builder, 2, leaseFor)
		}
	})
	var claimed []queue.Delivery
	wait.For(t, "the store", func() (err error) {
		claimed, err = store.Claim(t.Context(), builder, 10, leaseFor)
		return err
	})
	if len(claimed) != 3 {
		t.Fatalf("%d events were claimed, want all 3", len(claimed))
	}
	for _, delivery := range claimed {
		wait.For(t, "the store", func() error {
			return store.Settle(t.Context(), delivery.Lease, queue.Settlement{Outcome: queue.Done})
		})
	}
}

// TestLostAnswerOfAClaimTakesNothingFromOthers: between the claim and the one
// that calls it lost, another process took over an event.
func TestLostAnswerOfAClaimTakesNothingFromOthers(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	proxy := redistest.StartProxy(t, server)
	store := open(t, server, queue.Options{URL: proxy.URL(), StepTimeout: time.Minute})
	other := open(t, server, queue.Options{})
	loadClaim(t, store)
	next := admission(numbered(1), 0)
	next.LeaseFor = 0
	mustAdmit(t, store, next)
	leased := func() bool {
		return strings.Contains(server.Do(t, "HGET", "p:{"+uid+"}:states", numbered(1)), " l ")
	}
	answerless(t, proxy, leased, func(ctx context.Context) {
		if claimed, err := store.Claim(ctx, builder, 1, leaseFor); err == nil {
			t.Errorf("%d events were claimed, want no answer", len(claimed))
		}
	})
	server.Do(t, "ZADD", "p:{"+uid+"}:q:builder", "1", numbered(1)) // as if the lease had run out
	held, err := other.Claim(t.Context(), builder, 1, leaseFor)
	if err != nil || len(held) != 1 {
		t.Fatalf("Claim returned %d events and %v, want what is due", len(held), err)
	}
	wait.For(t, "the store", func() error {
		claimed, err := store.Claim(t.Context(), builder, 1, leaseFor)
		if len(claimed) != 0 {
			t.Fatal("a lease was taken away from its holder")
		}
		return err
	})
	if err := other.Settle(t.Context(), held[0].Lease, queue.Settlement{Outcome: queue.Done}); err != nil {
		t.Errorf("Settle: %v", err)
	}
}

func TestLostAnswerOfAnAdmissionLeavesALeaseToGiveBack(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	proxy := redistest.StartProxy(t, server)
	store := open(t, server, queue.Options{URL: proxy.URL(), StepTimeout: time.Minute})
	mustAdmit(t, store, admission(numbered(0), 0))
	stored := func() bool { return server.Do(t, "HEXISTS", "p:{"+uid+"}:states", numbered(1)) == "1" }
	var receipt queue.Receipt
	answerless(t, proxy, stored, func(ctx context.Context) {
		var err error
		if receipt, err = store.Admit(ctx, admission(numbered(1), 0)); !errors.Is(err, queue.ErrUnavailable) {
			t.Errorf("Admit returned %v, want ErrUnavailable", err)
		}
	})
	if len(receipt.Leases) != 1 {
		t.Fatalf("Admit left %+v, want the lease that is in doubt", receipt)
	}
	wait.For(t, "the store", func() error {
		err := store.Settle(t.Context(), receipt.Leases[0], queue.Settlement{Outcome: queue.Release})
		if errors.Is(err, queue.ErrLeaseLost) {
			t.Fatal("the lease in doubt is not the one that the store gave")
		}
		return err
	})
	var claimed []queue.Delivery
	wait.For(t, "the store", func() (err error) {
		claimed, err = store.Claim(t.Context(), builder, 10, leaseFor)
		return err
	})
	if len(claimed) != 1 || claimed[0].Event.ID != numbered(1) {
		t.Errorf("claimed %+v, want the event", claimed)
	}
}

// TestDoubtfulLeaseIsNotAnotherAdmissions: the first admission never came to the
// store; the sender's retry did, and what it got must not be given back.
func TestDoubtfulLeaseIsNotAnotherAdmissions(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := open(t, server, queue.Options{StepTimeout: time.Second})
	wait.For(t, "the store", func() error {
		_, err := store.Admit(t.Context(), admission(numbered(0), 0))
		return err
	})
	server.Pause(t)
	doubtful, err := store.Admit(t.Context(), admission(numbered(1), 0))
	if !errors.Is(err, queue.ErrUnavailable) || len(doubtful.Leases) != 1 {
		t.Fatalf("Admit returned %+v and %v, want a lease in doubt", doubtful, err)
	}
	server.Kill(t)
	server.Restart(t)
	var retried queue.Receipt
	wait.For(t, "the store", func() (err error) {
		retried, err = store.Admit(t.Context(), admission(numbered(1), 0))
		return err
	})
	if retried.Duplicate {
		t.Fatal("the event was stored although the store was killed before it could")
	}
	wait.For(t, "the store", func() error {
		err := store.Settle(t.Context(), doubtful.Leases[0], queue.Settlement{Outcome: queue.Release})
		if err == nil {
			t.Fatal("the lease of another admission was given back")
		}
		if errors.Is(err, queue.ErrLeaseLost) {
			return nil
		}
		return err
	})
	wait.For(t, "the store", func() error {
		return store.Settle(t.Context(), retried.Leases[0], queue.Settlement{Outcome: queue.Done})
	})
}

func TestRefusedAdmissionLeavesNoDoubt(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := open(t, server, queue.Options{})
	mustAdmit(t, store, admission(numbered(0), 0))
	server.Do(t, "CONFIG", "SET", "maxmemory", "1")
	if receipt, err := store.Admit(t.Context(), admission(numbered(1), 0)); !errors.Is(err, queue.ErrFull) ||
		len(receipt.Leases) != 0 {
		t.Errorf("a full store returned %+v and %v", receipt, err)
	}
	server.Kill(t)
	wait.For(t, "the store", func() error {
		receipt, err := store.Admit(t.Context(), admission(numbered(2), 0))
		if err == nil || len(receipt.Leases) > 0 {
			return errors.New("not refused yet")
		}
		return nil
	})
}
