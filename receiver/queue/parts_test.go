package queue_test

import (
	"errors"
	"fmt"
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
		})
	}
}
