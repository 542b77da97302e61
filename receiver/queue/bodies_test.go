package queue_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/queue/redistest"
	"github.com/postern-dev/postern/test/wait"
)

// TestBodiesOfTheHistoryHaveAShare: a fifth of the memory; who has the most
// gives up first.
func TestBodiesOfTheHistoryHaveAShare(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.WithArgs("--maxmemory", "20mb"))
	store := open(t, server, queue.Options{PollInterval: 5 * time.Millisecond})
	deliver := func(endpoint string, events, bytes int) {
		for i := range events {
			next := admission(numbered(i), bytes)
			next.Event.EndpointUID, next.HistoryLimit = endpoint, 1000
			for _, lease := range mustAdmit(t, store, next).Leases {
				if err := store.Settle(t.Context(), lease, queue.Settlement{Outcome: queue.Done}); err != nil {
					t.Fatalf("Settle: %v", err)
				}
			}
		}
	}
	deliver("small", 100, 1<<10)
	deliver("large", 90, 100<<10)
	const measure = 1 << 40
	wait.For(t, "the store", func() error {
		large, err := store.TrimBodies(t.Context(), "large", measure)
		if err == nil && large > 4<<20 {
			err = fmt.Errorf("%d bytes of bodies are kept", large)
		}
		return err
	})
	small, err := store.TrimBodies(t.Context(), "small", measure)
	if err != nil || small != 100<<10 {
		t.Errorf("of the small bodies %d bytes are kept (%v), want all", small, err)
	}
	page, err := store.List(t.Context(), "large", queue.Filter{Limit: 1000})
	if err != nil || len(page.Events) != 90 || page.Events[0].BodyGone || !page.Events[89].BodyGone {
		t.Errorf("listing %d events and %v, want all, the newest with bodies", len(page.Events), err)
	}
}
