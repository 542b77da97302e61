package queue_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/event"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/queue/redistest"
)

// TestHousekeepingSkipsEndpointsWithNothing: of two thousand endpoints three
// have something to trim, and each of these is found.
func TestHousekeepingSkipsEndpointsWithNothing(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := open(t, server, queue.Options{})
	for i := range 2000 {
		server.Do(t, "SADD", "p:endpoints", fmt.Sprint("idle-", i))
	}
	var busy []string
	for i := range 3 {
		one := fmt.Sprint("busy-", i)
		busy = append(busy, one)
		for n := range 2 {
			id := queue.ID{EndpointUID: one, Target: "a"}
			receipt, err := store.Admit(t.Context(), &queue.Admission{
				Event:   &event.Event{ID: fmt.Sprintf("%032x", n), EndpointUID: one, ReceivedAt: time.Now(), Body: []byte("{}")},
				Targets: []string{"a"}, LeaseFor: time.Minute, HistoryLimit: n, RememberFor: time.Millisecond,
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := store.Settle(t.Context(), receipt.Leases[0], queue.Settlement{Outcome: queue.Done}); err != nil {
				t.Fatalf("settling %v: %v", id, err)
			}
		}
		server.Do(t, "ZADD", "p:{"+one+"}:seen", "1", "old")
	}
	endpoints, err := store.Endpoints(t.Context())
	if err != nil || len(endpoints) != 2003 {
		t.Fatalf("%d endpoints, %v", len(endpoints), err)
	}
	found, err := queue.WithHistory(store, t.Context(), endpoints)
	slices.Sort(found)
	if err != nil || !slices.Equal(found, busy) {
		t.Errorf("endpoints with delivered events are %v (%v), want %v", found, err, busy)
	}
	began := time.Now()
	if err := queue.ForgetMarks(store, t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("marks of %d endpoints were looked at in %s", len(endpoints), time.Since(began))
	for _, one := range busy {
		if left := server.Do(t, "ZCOUNT", "p:{"+one+"}:seen", "1", "1"); left != "0" {
			t.Errorf("an old mark of %s is still there", one)
		}
	}
}
