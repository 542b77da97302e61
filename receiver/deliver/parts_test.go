package deliver_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postern-dev/postern/receiver/deliver"
	"github.com/postern-dev/postern/receiver/event"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/route"
)

// sharded is a store of two parts, of which the one with the endpoints named
// away-… does not answer while it is silent.
type sharded struct {
	queue.Worker
	silent atomic.Bool
	hung   atomic.Int64
}

func (*sharded) Part(uid string) string {
	if strings.HasPrefix(uid, "away-") {
		return "away"
	}
	return "there"
}

// ask hangs until the time-out of the store's client.
func (s *sharded) ask(id queue.ID) error {
	if !s.silent.Load() || !strings.HasPrefix(id.EndpointUID, "away-") {
		return nil
	}
	s.hung.Add(1)
	<-time.After(2500 * time.Millisecond)
	return fmt.Errorf("%w: i/o timeout", queue.ErrUnavailable)
}

func (s *sharded) Claim(ctx context.Context, id queue.ID, limit int, d time.Duration) ([]queue.Delivery, error) {
	if err := s.ask(id); err != nil {
		return nil, err
	}
	return s.Worker.Claim(ctx, id, limit, d)
}

func (s *sharded) Depths(ctx context.Context, ids []queue.ID) ([]queue.Depth, error) {
	if err := s.ask(ids[0]); err != nil {
		return nil, err
	}
	return s.Worker.Depths(ctx, ids)
}

func (s *sharded) Renew(ctx context.Context, leases []queue.Lease, d time.Duration) ([]queue.Lease, error) {
	if err := s.ask(leases[0].Queue); err != nil {
		return nil, err
	}
	return s.Worker.Renew(ctx, leases, d)
}

// TestPartThatIsAwayHoldsUpNoOther: events of endpoints in the other part are
// claimed within milliseconds, however many queues of the silent one are due.
func TestPartThatIsAwayHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var store *sharded
		there := endpoint("there", "a")
		all := []*route.Endpoint{there}
		for i := range 50 {
			e := endpoint(fmt.Sprint("ns", i), "a")
			e.UID = fmt.Sprint("away-", i)
			all = append(all, e)
		}
		w := newWorld(t, func(o *deliver.Options) {
			store = &sharded{Worker: o.Worker}
			o.Worker = store
		}, all...)
		synctest.Wait()
		store.silent.Store(true)
		var waiting []*event.Event
		for _, e := range all[1:] {
			waiting = append(waiting, w.admitUnleased(e))
		}
		pass(10 * time.Second)
		slowest := time.Duration(0)
		for range 100 {
			admitted := time.Now()
			w.admitUnleased(there)
			pass(500 * time.Millisecond)
			arrived := w.targets.at("a.there")
			slowest = max(slowest, arrived[len(arrived)-1].at.Sub(admitted))
		}
		if got := len(w.targets.at("a.there")); got != 100 || slowest > 100*time.Millisecond {
			t.Errorf("%d of 100 events arrived, the slowest after %s", got, slowest)
		}
		if hung := store.hung.Load(); hung > 100 {
			t.Errorf("the silent part was asked %d times in a minute", hung)
		}
		store.silent.Store(false)
		pass(5 * time.Second)
		w.expectStatus(queue.StatusDelivered, waiting...)
	})
}
