package queue_test

import (
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/queue/acl"
	"github.com/postern-dev/postern/receiver/queue/queuetest"
	"github.com/postern-dev/postern/receiver/queue/redistest"
)

// open connects to a server; what the options leave out is set for tests.
func open(t testing.TB, server *redistest.Server, options queue.Options) *queue.Redis {
	t.Helper()
	if options.URL == "" {
		options.URL = server.URL()
	}
	if options.PollInterval == 0 {
		// Tests that need a look ask for it.
		options.PollInterval = time.Hour
	}
	store, err := queue.NewRedis(t.Context(), options)
	if err != nil {
		t.Fatalf("NewRedis: %v", err)
	}
	t.Cleanup(store.Close)
	return store
}

func TestMemoryConforms(t *testing.T) {
	t.Parallel()
	queuetest.Run(t, func(_ *testing.T, clock func() time.Time) queue.Store {
		return queue.NewMemory(queue.MemoryOptions{Clock: clock})
	})
}

func TestRedisConforms(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	queuetest.Run(t, func(t *testing.T, clock func() time.Time) queue.Store {
		return open(t, server, queue.Options{Clock: clock})
	})
}

// TestRedisConformsWithItsOwnRights runs as the user of the sidecar, so that a
// command which its rules do not allow fails here.
func TestRedisConformsWithItsOwnRights(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.WithArgs(acl.ServerArgs()...), redistest.WithUser(acl.Username))
	queuetest.Run(t, func(t *testing.T, clock func() time.Time) queue.Store {
		store := open(t, server, queue.Options{Username: acl.Username, Clock: clock})
		if err := store.Check(t.Context()); err != nil {
			t.Fatalf("Check: %v", err)
		}
		return store
	})
}

// TestRedisConformsOnACluster has a single node: what can break on a Cluster is
// a script whose keys are of several slots.
func TestRedisConformsOnACluster(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.WithTCP(t), redistest.WithArgs("--cluster-enabled", "yes"))
	server.Do(t, "CLUSTER", "ADDSLOTSRANGE", "0", "16383")
	server.Await(t, "cluster_state:ok", "CLUSTER", "INFO")
	queuetest.Run(t, func(t *testing.T, clock func() time.Time) queue.Store {
		return open(t, server, queue.Options{URL: server.TCPURL(), Clock: clock})
	})
}
