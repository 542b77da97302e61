package server_test

import (
	"context"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/deliver"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/route/routetest"
	"github.com/postern-dev/postern/receiver/server"
)

// passes tells of every look through the endpoints that the store knows.
type passes struct {
	queue.Keeper
	looked chan struct{}
}

func (p passes) Endpoints(ctx context.Context) ([]string, error) {
	select {
	case p.looked <- struct{}{}:
	default:
	}
	return p.Keeper.Endpoints(ctx)
}

// TestProvisionalRoutesPurgeNothing: an old snapshot does not name an endpoint
// that another receiver has accepted events for.
func TestProvisionalRoutesPurgeNothing(t *testing.T) {
	t.Parallel()
	store := queue.NewMemory(queue.MemoryOptions{})
	keeper := passes{store, make(chan struct{})}
	w := start(t, "http://127.0.0.1:9", func(o *server.Options) {
		o.Store = store
		o.Engine = deliver.New(deliver.Options{Worker: store, Keeper: keeper, GoneGrace: 2 * time.Millisecond})
	})
	w.load(t, routetest.GitHub("hook", func(e *route.Endpoint) { e.Suspend = true }))
	if got := w.push(t, "kept"); got.status != 200 {
		t.Fatalf("answer %d %s", got.status, got.body)
	}
	held := func() bool {
		page, err := store.List(t.Context(), "uid-hook", queue.Filter{})
		return err != nil || len(page.Events) > 0
	}
	w.routes <- route.Set{Provisional: true}
	<-w.loaded
	for range 5 {
		<-keeper.looked
	}
	if !held() {
		t.Fatal("a provisional table had events purged")
	}
	w.load(t)
	eventually(t, "the events of the deleted endpoint are purged", func() bool {
		select {
		case <-keeper.looked:
		default:
		}
		return !held()
	})
}
