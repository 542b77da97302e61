package queue_test

import (
	"slices"
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
	return queuetest.Connect(t, options)
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

// TestRedisConformsOnACluster and the tests after it run with the rights that
// docs/store.md asks for, so that these are found to be enough.
func TestRedisConformsOnACluster(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, 3, false)
	grant(t, cluster.Nodes()...)
	queuetest.Run(t, func(t *testing.T, clock func() time.Time) queue.Store {
		return remote(t, queue.Options{URL: cluster.URL(), Clock: clock})
	})
}

func TestRedisConformsOnAClusterWithReplicas(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, 3, true)
	grant(t, cluster.Nodes()...)
	queuetest.Run(t, func(t *testing.T, clock func() time.Time) queue.Store {
		return remote(t, queue.Options{URL: cluster.URL(), Clock: clock})
	})
}

func TestRedisConformsBehindSentinel(t *testing.T) {
	t.Parallel()
	sentinel := redistest.StartSentinel(t)
	grant(t, sentinel.Primary, sentinel.Replica)
	queuetest.Run(t, func(t *testing.T, clock func() time.Time) queue.Store {
		return remote(t, queue.Options{URL: sentinel.URL(), Clock: clock})
	})
}

func TestRedisConformsOverTLS(t *testing.T) {
	t.Parallel()
	authority := redistest.NewAuthority(t)
	server := redistest.Start(t, redistest.WithTLS(t, authority, "yes"))
	grant(t, server)
	queuetest.Run(t, func(t *testing.T, clock func() time.Time) queue.Store {
		return remote(t, queue.Options{URL: server.TCPURL(), TLSDir: authority.Dir(), Clock: clock})
	})
}

const remotePassword = "hunter2"

// grant makes the user that remote is, with what an external store must permit.
func grant(t testing.TB, servers ...*redistest.Server) {
	t.Helper()
	rules := slices.Concat([]string{"ACL", "SETUSER", "remote", "on", ">" + remotePassword}, acl.Rules, acl.ExternalRules)
	for _, server := range servers {
		server.Do(t, rules...)
	}
}

func remote(t testing.TB, options queue.Options) *queue.Redis {
	t.Helper()
	options.Username, options.Password = "remote", remotePassword
	store := open(t, nil, options)
	if err := store.Check(t.Context()); err != nil {
		t.Fatalf("Check: %v", err)
	}
	return store
}
