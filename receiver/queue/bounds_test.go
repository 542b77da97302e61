package queue_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/queue/redistest"
)

// fill admits events of 1 KiB from several senders until so many are stored or
// the store is full, and returns the leases.
func fill(t *testing.T, store *queue.Redis, most int) (leases []queue.Lease) {
	t.Helper()
	var (
		group sync.WaitGroup
		mu    sync.Mutex
	)
	numbers := make(chan int)
	for range 32 {
		group.Go(func() {
			for i := range numbers {
				receipt, err := store.Admit(t.Context(), admission(numbered(i), 1024))
				if err != nil && !errors.Is(err, queue.ErrFull) {
					t.Errorf("Admit: %v", err)
				}
				mu.Lock()
				leases = append(leases, receipt.Leases...)
				mu.Unlock()
			}
		})
	}
	for i := range most {
		numbers <- i
	}
	close(numbers)
	group.Wait()
	return leases
}

// together settles all leases, many at a time.
func together(t *testing.T, store *queue.Redis, leases []queue.Lease, settlement queue.Settlement) {
	t.Helper()
	var group sync.WaitGroup
	work := make(chan queue.Lease)
	for range 64 {
		group.Go(func() {
			for lease := range work {
				if err := store.Settle(t.Context(), lease, settlement); err != nil {
					t.Errorf("Settle: %v", err)
				}
			}
		})
	}
	for _, lease := range leases {
		work <- lease
	}
	close(work)
	group.Wait()
}

// TestAttemptsStayWithinMemory: every target answers with an error page of 4 KiB,
// of any bytes, attempt after attempt.
func TestAttemptsStayWithinMemory(t *testing.T) {
	t.Parallel()
	const maxMemory, events, rounds = 32 << 20, 12_000, 12
	for name, page := range map[string]string{
		"text":        strings.Repeat("<p>sorry</p>", queue.MaxExcerpt/12),
		"other bytes": strings.Repeat("\x00\xff", queue.MaxExcerpt/2),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t, redistest.WithArgs("--maxmemory", strconv.Itoa(maxMemory)))
			store := open(t, server, queue.Options{StepTimeout: time.Minute, PollInterval: 100 * time.Millisecond})
			leases := fill(t, store, events)
			if len(leases) < events/2 {
				t.Fatalf("%d of %d events were stored", len(leases), events)
			}
			for range rounds {
				together(t, store, leases, queue.Settlement{
					Outcome: queue.Retry, Reason: "status_500", Attempt: &queue.Attempt{
						At: time.Now(), Status: 500, Latency: time.Second, Excerpt: page, Error: strings.Repeat("e", 4096),
					},
				})
				if used := int64(usedMemory(t, server)); used > maxMemory+maxMemory/10 {
					t.Fatalf("%d of %d MiB are used", used>>20, maxMemory>>20)
				}
				leases = claimAll(t, store, len(leases))
			}
			together(t, store, leases, queue.Settlement{Outcome: queue.Dead, Reason: "status_500"})
			if used := int64(usedMemory(t, server)); used > maxMemory+maxMemory/10 {
				t.Errorf("with all events dead %d of %d MiB are used", used>>20, maxMemory>>20)
			}
		})
	}
}

// claimAll claims that many events.
func claimAll(t *testing.T, store *queue.Redis, want int) (leases []queue.Lease) {
	t.Helper()
	for len(leases) < want {
		deliveries, err := store.Claim(t.Context(), builder, 256, time.Hour)
		if err != nil || len(deliveries) == 0 {
			t.Fatalf("Claim returned %d events and %v after %d of %d", len(deliveries), err, len(leases), want)
		}
		for _, delivery := range deliveries {
			leases = append(leases, delivery.Lease)
		}
	}
	return leases
}

// TestHistoryKeepsItsLimitUnderLoad: calls that deliver many events trim as many.
func TestHistoryKeepsItsLimitUnderLoad(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := open(t, server, queue.Options{StepTimeout: time.Minute})
	const limit, events = 100, 5000 // a call has at most 256
	together(t, store, fill(t, store, events), queue.Settlement{Outcome: queue.Done})
	if kept := server.Do(t, "ZCARD", "p:{"+uid+"}:history"); kept != strconv.Itoa(limit) {
		t.Errorf("%s delivered events are kept, want %d", kept, limit)
	}
}

// TestManyTargetsAndAttempts: what one call drops can be more than Lua gives a
// function as arguments.
func TestManyTargetsAndAttempts(t *testing.T) {
	t.Parallel()
	store := open(t, redistest.Start(t), queue.Options{StepTimeout: time.Minute})
	const events, targets = 200, 90
	var names []string
	for i := range targets {
		names = append(names, fmt.Sprint("target-", i))
	}
	for i := range events {
		next := admission(numbered(i), 0)
		next.Targets, next.HistoryLimit = names, events
		for _, lease := range mustAdmit(t, store, next).Leases {
			if err := store.Settle(t.Context(), lease, queue.Settlement{
				Outcome: queue.Done, Attempt: &queue.Attempt{At: time.Now(), Status: 200, Excerpt: "ok"},
			}); err != nil {
				t.Fatalf("Settle: %v", err)
			}
		}
	}
	last := admission(numbered(events), 0)
	last.HistoryLimit = 1
	for _, lease := range mustAdmit(t, store, last).Leases {
		if err := store.Settle(t.Context(), lease, queue.Settlement{Outcome: queue.Done}); err != nil {
			t.Fatalf("Settle: %v", err)
		}
	}
	if err := store.Purge(t.Context(), uid); err != nil {
		t.Errorf("Purge: %v", err)
	}
}

// TestScriptsUnpackInPieces keeps the kind away: Lua gives a function at most
// 8000 arguments, and only the library's helpers mind that.
func TestScriptsUnpackInPieces(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Glob("scripts/*.lua")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("%d scripts, %v", len(scripts), err)
	}
	for _, script := range slices.DeleteFunc(scripts, func(name string) bool { return filepath.Base(name) == "lib.lua" }) {
		text, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "unpack(") {
			t.Errorf("%s unpacks a list of any length: use many, across or ask", script)
		}
	}
}

// fillWith admits events until the store refuses one, or so many are stored.
func fillWith(t *testing.T, store *queue.Redis, most int, change func(*queue.Admission)) (stored int) {
	t.Helper()
	for stored < most {
		next := admission(queue.NewID(), 32<<10)
		change(next)
		receipt, err := store.Admit(t.Context(), next)
		if errors.Is(err, queue.ErrFull) {
			return stored
		}
		if err != nil {
			t.Fatalf("Admit: %v", err)
		}
		for _, lease := range receipt.Leases {
			settlement := queue.Settlement{
				Outcome: queue.Done, Attempt: &queue.Attempt{At: time.Now(), Status: 200, Excerpt: strings.Repeat("x", 4096)},
			}
			if err := store.Settle(t.Context(), lease, settlement); err != nil {
				t.Fatalf("Settle: %v", err)
			}
		}
		stored++
	}
	return stored
}

// TestHistoryRefusesNothing: delivered events of several times the memory come
// one after the other, faster than the store is looked at.
func TestHistoryRefusesNothing(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.WithArgs("--maxmemory", "16mb"))
	store := open(t, server, queue.Options{StepTimeout: time.Minute})
	const events = 3000
	delivered := func(a *queue.Admission) { a.HistoryLimit = events }
	if stored := fillWith(t, store, events, delivered); stored != events {
		t.Errorf("refused after %d delivered events", stored)
	}
	pending := func(a *queue.Admission) { a.LeaseFor = 0 }
	if stored := fillWith(t, store, events, pending); stored < 12<<20/(48<<10) || stored == events {
		t.Errorf("%d events that wait were stored in what history had", stored)
	}
}

// TestMarksGiveWay: what deduplication remembers refuses nothing, and the oldest
// goes first.
func TestMarksGiveWay(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.WithArgs("--maxmemory", "8mb"))
	store := open(t, server, queue.Options{StepTimeout: time.Minute})
	small := func(i int) *queue.Admission {
		next := admission(numbered(i), 1)
		next.HistoryLimit = 0
		return next
	}
	const events = 60_000 // at 160 bytes, more than all of the memory
	var group sync.WaitGroup
	for worker := range 64 {
		group.Go(func() {
			for i := worker; i < events; i += 64 {
				receipt, err := store.Admit(t.Context(), small(i))
				if err != nil {
					t.Errorf("event %d: %v", i, err)
					return
				}
				if err := store.Settle(t.Context(), receipt.Leases[0], queue.Settlement{Outcome: queue.Done}); err != nil {
					t.Errorf("Settle: %v", err)
				}
			}
		})
	}
	group.Wait()
	if dropped := store.DroppedMarks(); dropped == 0 || dropped > events/2 {
		t.Errorf("%d of %d marks were dropped", dropped, events)
	}
	if receipt := mustAdmit(t, store, small(events-1)); !receipt.Duplicate {
		t.Error("the latest event is forgotten")
	}
	if receipt := mustAdmit(t, store, small(0)); receipt.Duplicate {
		t.Error("the first event is remembered, and later ones are not")
	}
	if sizes, err := store.Sizes(t.Context(), []string{uid}); err != nil || sizes[0].Forgotten.IsZero() {
		t.Errorf("sizes are %+v and %v, want the time to which is forgotten", sizes, err)
	}
}
