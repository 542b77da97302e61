package queue_test

import (
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/event"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/queue/redistest"
	"github.com/postern-dev/postern/test/wait"
)

// TestShardThatIsAwayFailsAlone asks about leases and queues of three shards
// while one of them is gone, and while it is silent.
func TestShardThatIsAwayFailsAlone(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, 3, false, redistest.WithArgs("--cluster-require-full-coverage", "no"))
	options := quick(cluster.URL())
	options.StepTimeout = queue.DefaultStepTimeout
	store, unhurried := open(t, nil, options), open(t, nil, queue.Options{URL: cluster.URL()})
	var queues []queue.ID
	var leases []queue.Lease
	lost := cluster.Primaries[0]
	away := map[queue.ID]bool{}
	for i := range 30 {
		id := queue.ID{EndpointUID: fmt.Sprint("endpoint-", i), Target: "a"}
		queues = append(queues, id)
		away[id] = cluster.Owner(t, "p:{"+id.EndpointUID+"}:states") == lost
		_, err := unhurried.Admit(t.Context(), &queue.Admission{
			Event:   &event.Event{ID: fmt.Sprintf("%032x", i), EndpointUID: id.EndpointUID, ReceivedAt: time.Now()},
			Targets: []string{"a"},
		})
		if err != nil {
			t.Fatal(err)
		}
		claimed, err := unhurried.Claim(t.Context(), id, 1, leaseFor)
		if err != nil || len(claimed) != 1 {
			t.Fatalf("claimed %v, %v", claimed, err)
		}
		leases = append(leases, claimed[0].Lease)
	}
	parts := map[string]bool{}
	for _, id := range queues {
		parts[store.Part(id.EndpointUID)] = true
		if (store.Part(id.EndpointUID) == store.Part(queues[0].EndpointUID)) !=
			(cluster.Owner(t, "p:{"+id.EndpointUID+"}:x") == cluster.Owner(t, "p:{"+queues[0].EndpointUID+"}:x")) {
			t.Errorf("endpoint %s is not in the part of its server", id.EndpointUID)
		}
	}
	if len(parts) != 3 || parts[""] {
		t.Errorf("parts are %v, want three", parts)
	}
	for _, fault := range []struct{ begin, end func(testing.TB) }{
		{lost.Pause, lost.Resume}, {lost.Kill, func(t testing.TB) { lost.Restart(t) }},
	} {
		fault.begin(t)
		wait.For(t, "the store", func() error {
			depths, err := store.Depths(t.Context(), queues)
			gone, renewErr := store.Renew(t.Context(), leases, leaseFor)
			if len(gone) > 0 {
				t.Errorf("leases are lost: %v", gone)
			}
			for i, id := range queues {
				failed := queue.FailureOf(err, id) != nil && queue.FailureOf(renewErr, id) != nil
				sound := queue.FailureOf(err, id) == nil && queue.FailureOf(renewErr, id) == nil && depths[i].Pending == 1
				if away[id] && !failed || !away[id] && !sound {
					return fmt.Errorf("queue %v, whose server is away %t: %w, %+v", id, away[id], errors.Join(err, renewErr), depths[i])
				}
			}
			return nil
		})
		fault.end(t)
	}
}

// TestDueTimesAreOnTheReceiversClock: a store whose clock is an hour ahead, or
// behind, says when an event is due on the receiver's.
func TestDueTimesAreOnTheReceiversClock(t *testing.T) {
	t.Parallel()
	for _, skew := range []time.Duration{-time.Hour, time.Hour} {
		t.Run(skew.String(), func(t *testing.T) {
			t.Parallel()
			options := quick(redistest.Start(t).URL())
			options.Clock = func() time.Time { return time.Now().Add(skew) }
			store := open(t, nil, options)
			store.SetHere(time.Now)
			unleased := admission(numbered(1), 0)
			unleased.LeaseFor = 0
			mustAdmit(t, store, unleased)
			claimed, err := store.Claim(t.Context(), builder, 1, time.Minute)
			if err != nil || len(claimed) != 1 {
				t.Fatalf("claimed %v, %v", claimed, err)
			}
			err = store.Settle(t.Context(), claimed[0].Lease, queue.Settlement{Outcome: queue.Retry, After: 30 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			depths, err := store.Depths(t.Context(), []queue.ID{builder})
			if err != nil {
				t.Fatal(err)
			}
			for _, due := range []time.Time{depths[0].NextDue, depths[0].LastDue} {
				if wait := time.Until(due); wait > time.Minute || wait < -20*time.Minute {
					t.Errorf("an event that is due in 30 s is due in %s", wait)
				}
			}
			dead := admission(numbered(2), 0)
			if err := store.Settle(t.Context(), mustAdmit(t, store, dead).Leases[0], queue.Settlement{Outcome: queue.Dead}); err != nil {
				t.Fatal(err)
			}
			if depths, err = store.Depths(t.Context(), []queue.ID{builder}); err != nil {
				t.Fatal(err)
			}
			if age := time.Since(depths[0].OldestDead); age > 20*time.Minute || age < -20*time.Minute {
				t.Errorf("an event that just died is %v old", age)
			}
		})
	}
}

// TestFullShardIsFullAlone: where one server of a Cluster is short of memory, what
// its own endpoints need not keep gives way; where it is full, they alone are
// refused.
func TestFullShardIsFullAlone(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, 3, false, redistest.WithArgs("--maxmemory", "64mb"))
	store := open(t, nil, quick(cluster.URL()))
	short, other := endpointOn(t, cluster, 0), endpointOn(t, cluster, 1)
	const events, size = 60, 32 << 10
	for uid, count := range map[string]int{short: events, other: 2 * events} {
		for i := range count {
			deliverOne(t, store, uid, i, size)
		}
	}
	server := cluster.Primaries[0]
	server.Do(t, "CONFIG", "SET", "maxmemory", strconv.Itoa(int(usedMemory(t, server)/0.76)))
	wait.For(t, "the store judges each server", func() error {
		if kept := history(t, store, short); kept == events {
			return fmt.Errorf("all %d events are kept where memory is short", kept)
		}
		return nil
	})
	if kept := history(t, store, other); kept != 2*events {
		t.Errorf("%d of %d events are kept where there is room", kept, 2*events)
	}
	server.Do(t, "CONFIG", "SET", "maxmemory", "1mb") // less than an empty one needs
	wait.For(t, "the store judges each server", func() error {
		_, err := store.Admit(t.Context(), admissionOf(short, events, size))
		if !errors.Is(err, queue.ErrFull) {
			return fmt.Errorf("the full server takes an event: %w", err)
		}
		return nil
	})
	if _, err := store.Admit(t.Context(), admissionOf(other, 2*events, size)); err != nil {
		t.Errorf("an event of another server: %v", err)
	}
}

// endpointOn is the UID of an endpoint in a slot of the primary.
func endpointOn(t *testing.T, cluster *redistest.Cluster, primary int) string {
	t.Helper()
	for i := range 1000 {
		uid := fmt.Sprint("endpoint-", i)
		if cluster.Owner(t, "p:{"+uid+"}:states") == cluster.Primaries[primary] {
			return uid
		}
	}
	t.Fatal("no endpoint is in a slot of the primary")
	return ""
}

func admissionOf(uid string, i, size int) *queue.Admission {
	return &queue.Admission{
		Event: &event.Event{
			ID: fmt.Sprintf("%032x", i), EndpointUID: uid, ReceivedAt: time.Now(), Body: make([]byte, size),
		},
		Targets: []string{"a"}, HistoryLimit: 1000, LeaseFor: time.Minute,
	}
}

// deliverOne stores an event and delivers it.
func deliverOne(t *testing.T, store *queue.Redis, uid string, i, size int) {
	t.Helper()
	receipt, err := store.Admit(t.Context(), admissionOf(uid, i, size))
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Settle(t.Context(), receipt.Leases[0], queue.Settlement{Outcome: queue.Done}); err != nil {
		t.Fatal(err)
	}
}

// history is how many delivered events an endpoint has.
func history(t *testing.T, store *queue.Redis, uid string) int {
	t.Helper()
	page, err := store.List(t.Context(), uid, queue.Filter{Status: queue.StatusDelivered, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return len(page.Events)
}
