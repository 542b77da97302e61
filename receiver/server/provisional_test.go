package server_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/deliver"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/route/routetest"
	"github.com/postern-dev/postern/receiver/server"
	"github.com/postern-dev/postern/test/wait"
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

// TestOnlyATombstonePurges: neither an old snapshot nor a current set ends an
// endpoint by not naming it.
func TestOnlyATombstonePurges(t *testing.T) {
	t.Parallel()
	store := queue.NewMemory(queue.MemoryOptions{})
	keeper := passes{store, make(chan struct{})}
	w := start(t, "http://127.0.0.1:9", func(o *server.Options) {
		o.Store = store
		o.Engine = deliver.New(deliver.Options{
			Worker: store, Keeper: keeper, GoneGrace: 2 * time.Millisecond,
			Current: func(context.Context, string) (route.Standing, error) { return route.Standing{Deleted: true}, nil },
		})
	})
	w.load(t, routetest.GitHub("hook", func(e *route.Endpoint) { e.Suspend = true }))
	if got := w.push(t, "kept"); got.status != 200 {
		t.Fatalf("answer %d %s", got.status, got.body)
	}
	held := func() bool {
		page, err := store.List(t.Context(), "uid-hook", queue.Filter{})
		return err != nil || len(page.Events) > 0
	}
	look := func() {
		select {
		case <-keeper.looked:
		default:
		}
	}
	for _, set := range []route.Set{{Provisional: true, Tombstones: []string{"uid-hook"}}, {}} {
		w.routes <- set
		<-w.loaded
		for range 5 {
			<-keeper.looked
		}
		if !held() {
			t.Fatalf("a set without a tombstone, or a provisional one, had events purged: %+v", set)
		}
	}
	wait.Until(t, "the orphan is counted", func() bool {
		look()
		return strings.Contains(w.ask(t, "GET", "/metrics", "").body, "postern_store_orphaned_endpoints 1")
	})
	w.routes <- route.Set{Tombstones: []string{"uid-hook"}}
	<-w.loaded
	wait.Until(t, "the events of the deleted endpoint are purged", func() bool {
		look()
		return !held()
	})
	wait.Until(t, "the manager is told", func() bool {
		look()
		return strings.Contains(w.ask(t, "GET", "/tombstones", "").body, `{"purged":["uid-hook"]}`)
	})
}
