package queue_test

import (
	"errors"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/queue/queuetest"
)

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	store := queue.NewMemory(queue.MemoryOptions{MaxBytes: 100 << 10})
	var leases []queue.Lease
	for i := 0; ; i++ {
		receipt, err := store.Admit(t.Context(), admission(numbered(i), 10<<10))
		if errors.Is(err, queue.ErrFull) {
			break
		}
		if err != nil || i > 10 {
			t.Fatalf("admission %d returned %v, want ErrFull some time", i, err)
		}
		leases = append(leases, receipt.Leases...)
	}
	if used := store.UsedRatio(); used < 0.8 || used > 1 {
		t.Errorf("UsedRatio is %v", used)
	}
	settlement := queue.Settlement{Outcome: queue.Dead, Reason: "gone"}
	if err := store.Settle(t.Context(), leases[0], settlement); err != nil {
		t.Errorf("burying in a full store: %v", err)
	}
	if err := store.Purge(t.Context(), uid); err != nil {
		t.Fatalf("Purge: %v", err)
	}
	if used := store.UsedRatio(); used != 0 {
		t.Errorf("after the purge UsedRatio is %v", used)
	}
}

func TestMemoryForgetsElapsedMarks(t *testing.T) {
	t.Parallel()
	clock := queuetest.NewClock()
	store := queue.NewMemory(queue.MemoryOptions{Clock: clock.Now, MaxBytes: 64 << 10})
	for i := range 10_000 {
		next := admission(numbered(i), 0)
		next.HistoryLimit, next.RememberFor = 0, time.Minute
		receipt, err := store.Admit(t.Context(), next)
		if err != nil {
			t.Fatalf("admission %d: %v", i, err)
		}
		if err := store.Settle(t.Context(), receipt.Leases[0], queue.Settlement{Outcome: queue.Done}); err != nil {
			t.Fatal(err)
		}
		clock.Advance(time.Second)
	}
}
