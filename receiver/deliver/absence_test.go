package deliver_test

import (
	"context"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/deliver"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/queue/queuetest"
	"github.com/postern-dev/postern/receiver/queue/redistest"
	"github.com/postern-dev/postern/receiver/route"
)

// rounds counts the looks of a keeper.
type rounds struct {
	queue.Keeper
	looked chan struct{}
}

func (r rounds) Endpoints(ctx context.Context) ([]string, error) {
	select {
	case r.looked <- struct{}{}:
	default:
	}
	return r.Keeper.Endpoints(ctx)
}

// TestAbsenceEndsNothing: a receiver whose table lacks an endpoint, or a target,
// leaves the events alone that others have acknowledged for it.
func TestAbsenceEndsNothing(t *testing.T) {
	t.Parallel()
	grown := endpoint("ci", "a", "b")
	for name, test := range map[string]struct {
		events int
		// table is what the receiver knows, away tells that it does not reach the API server.
		table []*route.Endpoint
		away  bool
	}{
		"two installations on one store":    {50, routes(endpoint("other", "a")), false},
		"a receiver cut off from the API":   {20, routes(), true},
		"a target that was added meanwhile": {188, routes(suspended(endpoint("ci", "a"))), false},
		"an endpoint that yielded its path": {50, routes(endpoint("older", "a")), false},
		"a route Secret that was deleted":   {50, routes(), false},
		"the same without the API server":   {10, routes(suspended(endpoint("ci", "a"))), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			redis := redistest.Start(t)
			store := queuetest.Connect(t, queue.Options{URL: redis.URL()})
			w := &plant{redis: redis, store: store, route: grown}
			for i := range test.events {
				ev := w.event(i, []byte("{}"))
				ev.EndpointUID = grown.UID
				if _, err := store.Admit(t.Context(), &queue.Admission{Event: ev, Targets: names(grown)}); err != nil {
					t.Fatal(err)
				}
			}
			keeper := rounds{store, make(chan struct{})}
			api := &authority{away: test.away}
			api.has(grown)
			engine := deliver.New(deliver.Options{
				Worker: store, Keeper: keeper, Current: api.current,
				RemovedGrace: 20 * time.Millisecond, GoneGrace: 20 * time.Millisecond,
			})
			engine.SetRoutes(test.table)
			ctx, cancel := context.WithCancel(t.Context())
			engine.Start(ctx)
			for range 10 {
				<-keeper.looked
			}
			cancel()
			engine.Wait()
			lost := 0
			for i := range test.events {
				record, err := store.Get(t.Context(), grown.UID, w.event(i, nil).ID)
				if err != nil {
					lost++
					continue
				}
				for _, at := range record.Targets {
					if at.Target == "b" && at.Status != queue.StatusPending {
						lost++
					}
				}
			}
			if lost > 0 {
				t.Errorf("%d of %d events are lost", lost, test.events)
			}
		})
	}
}
