package queue_test

import (
	"testing"

	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/queue/redistest"
)

// TestDamagedDeadLettersAreListed: whoever is told of dead letters must find them.
func TestDamagedDeadLettersAreListed(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := open(t, server, queue.Options{})
	key := func(id string) string { return "p:{" + uid + "}:e:" + id }
	for i, damage := range []func(id string){
		func(id string) { server.Do(t, "SET", key(id), "\x02") },
		func(id string) { server.Do(t, "SETRANGE", key(id), "33", "\xff\xff\xff\xff") },
		func(id string) { server.Do(t, "SETRANGE", key(id), "40", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff") },
		func(id string) { server.Do(t, "APPEND", key(id), "x") },
	} {
		unleased := admission(numbered(i), 0)
		unleased.LeaseFor = 0
		mustAdmit(t, store, unleased)
		damage(numbered(i))
	}
	if got, err := store.Claim(t.Context(), builder, 10, leaseFor); err != nil || len(got) != 0 {
		t.Fatalf("Claim returned %d events and %v, want none", len(got), err)
	}
	page, err := store.List(t.Context(), uid, queue.Filter{Status: queue.StatusDead})
	if err != nil || len(page.Events) != 4 {
		t.Fatalf("List returned %d events and %v, want all four", len(page.Events), err)
	}
	for _, summary := range page.Events {
		if summary.Status != queue.StatusDead || len(summary.Targets) != 1 || summary.ChangedAt.IsZero() ||
			summary.Targets[0].Target != "builder" || summary.Targets[0].Reason != queue.ReasonCorrupt {
			t.Errorf("listed as %+v", summary)
		}
		record, err := store.Get(t.Context(), uid, summary.ID)
		if err != nil || record.Event.ID != summary.ID {
			t.Errorf("Get returned %+v and %v", record, err)
		}
	}
}
