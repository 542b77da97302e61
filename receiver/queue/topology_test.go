package queue_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/queue/redistest"
	"github.com/postern-dev/postern/test/wait"
)

// quick looks at the servers often, so that the tests need not wait a second, and
// gives up on one that is gone.
func quick(url string) queue.Options {
	return queue.Options{URL: url, StepTimeout: queue.DefaultStepTimeout, PollInterval: 50 * time.Millisecond}
}

func TestSentinelFailoverLosesNothing(t *testing.T) {
	t.Parallel()
	sentinel := redistest.StartSentinel(t)
	store := open(t, nil, quick(sentinel.URL()))
	senders := startLoad(t, store, uid)
	senders.more(t, 500)
	sentinel.Primary.Kill(t)
	sentinel.Replica.Await(t, "role:master", "INFO", "replication")
	sentinel.Primary.Restart(t)
	senders.more(t, 1000) // they recover by themselves, once the new primary has a replica
	senders.wantKept(t)
}

// TestPrimaryThatWasReplacedAcknowledgesNothing: behind Sentinel a primary that
// sees no replica may be one that was stopped while another was promoted.
func TestPrimaryThatWasReplacedAcknowledgesNothing(t *testing.T) {
	t.Parallel()
	sentinel := redistest.StartSentinel(t)
	store := open(t, nil, quick(sentinel.URL()))
	wait.For(t, "the store", func() error {
		_, err := store.Admit(t.Context(), admission(numbered(1), 0))
		return err
	})
	sentinel.Replica.Kill(t)
	sentinel.Primary.Await(t, "connected_slaves:0", "INFO", "replication")
	for n := range 20 {
		if receipt, err := store.Admit(t.Context(), admission(numbered(100+n), 0)); err == nil {
			t.Fatalf("an event that no replica has is acknowledged: %+v", receipt)
		}
	}
	wait.For(t, "the store", func() error {
		if err := store.Health(t.Context()); err == nil || !strings.Contains(err.Error(), "no replica") {
			return fmt.Errorf("Health returned %w, want the reason", err)
		}
		return nil
	})
	sentinel.Replica.Restart(t)
	wait.For(t, "the store", func() error {
		_, err := store.Admit(t.Context(), admission(queue.NewID(), 0))
		return err
	})
}

func TestClusterFailoverLosesNothing(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, 3, true)
	store := open(t, nil, quick(cluster.URL()))
	senders := startLoad(t, store, uid)
	senders.more(t, 500)
	owner := cluster.Owner(t, "p:{"+uid+"}:pending")
	cluster.Forgive(2 * time.Second)
	for i, primary := range cluster.Primaries {
		if primary == owner {
			primary.Kill(t)
			cluster.Replicas[i].Await(t, "role:master", "INFO", "replication")
		}
	}
	cluster.Forgive(time.Hour)
	senders.more(t, 500)
	for range 50 {
		wait.For(t, "the store", func() error { return store.Health(t.Context()) }) // with one server of six gone
	}
	owner.Restart(t)
	owner.Await(t, "master_link_status:up", "INFO", "replication")
	senders.more(t, 500)
	senders.wantKept(t)
}

// TestClusterWithoutFullCoverage: with a part of the slots gone, the servers
// that are left answer CLUSTERDOWN.
func TestClusterWithoutFullCoverage(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, 3, false)
	store := open(t, nil, quick(cluster.URL()))
	senders := startLoad(t, store, uid)
	senders.more(t, 100)
	owner := cluster.Owner(t, "p:{"+uid+"}:pending")
	cluster.Forgive(2 * time.Second)
	for _, primary := range cluster.Primaries {
		if primary != owner {
			primary.Kill(t)
			owner.Await(t, "cluster_state:fail", "CLUSTER", "INFO")
			primary.Restart(t)
			break
		}
	}
	owner.Await(t, "cluster_state:ok", "CLUSTER", "INFO")
	senders.more(t, 100)
	if senders.refused.Load() == 0 {
		t.Error("nothing was refused while the Cluster was down")
	}
	senders.wantKept(t)
}

// TestSlotMovesUnderLoad moves the endpoint's slot to another server, some keys
// at a time. The queue goes first, so that scripts which ran meanwhile would find
// themselves on the new server without the rest.
func TestSlotMovesUnderLoad(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, 3, false)
	store := open(t, nil, quick(cluster.URL()))
	senders := startLoad(t, store, uid)
	senders.more(t, 200)
	pending := "p:{" + uid + "}:pending"
	from, slot := cluster.Owner(t, pending), fmt.Sprint(cluster.Slot(t, pending))
	to := cluster.Primaries[0]
	if to == from {
		to = cluster.Primaries[1]
	}
	fromID, toID := from.Do(t, "CLUSTER", "MYID"), to.Do(t, "CLUSTER", "MYID")
	to.Do(t, "CLUSTER", "SETSLOT", slot, "IMPORTING", fromID)
	from.Do(t, "CLUSTER", "SETSLOT", slot, "MIGRATING", toID)
	for keys := []string{"p:{" + uid + "}:q:builder"}; len(keys) > 0; {
		from.Do(t, append([]string{
			"MIGRATE", "127.0.0.1", strings.TrimPrefix(to.Address(), "127.0.0.1:"), "", "0", "120000", "KEYS",
		}, keys...)...)
		keys = strings.Fields(strings.Trim(from.Do(t, "CLUSTER", "GETKEYSINSLOT", slot, "50"), "[]"))
	}
	for _, node := range []*redistest.Server{to, from, cluster.Primaries[2]} {
		node.Do(t, "CLUSTER", "SETSLOT", slot, "NODE", toID)
	}
	senders.more(t, 200)
	senders.wantKept(t)
	wait.For(t, "the store", func() error {
		depths, err := store.Depths(t.Context(), []queue.ID{builder})
		if err == nil && (depths[0].Pending < int64(senders.count()) || depths[0].Pending > int64(senders.count()+8)) {
			t.Fatalf("%+v pending, want each of the %d events once", depths, senders.count())
		}
		return err
	})
}

func TestEveryNodeOfAClusterMustBeDurable(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, 3, true)
	store := open(t, nil, queue.Options{URL: cluster.URL()})
	if err := store.Check(t.Context()); err != nil {
		t.Fatalf("Check: %v", err)
	}
	for _, node := range cluster.Nodes() {
		node.Do(t, "CONFIG", "SET", "appendfsync", "everysec")
		settings, ok := errors.AsType[*queue.SettingsError](store.Check(t.Context()))
		if !ok || len(settings.Wrong) != 1 || settings.Wrong[0].Node != node.Address() {
			t.Errorf("Check found %+v, want one wrong setting on %s", settings, node.Address())
		}
		wantUnavailable(t, store)
		node.Do(t, "CONFIG", "SET", "appendfsync", "always")
	}
	if err := store.Check(t.Context()); err != nil {
		t.Errorf("Check: %v", err)
	}
}

// TestClusterNeedsItsRights: without them a Cluster would look like one server.
func TestClusterNeedsItsRights(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, 1, false)
	node := cluster.Primaries[0]
	grant(t, node)
	node.Do(t, "ACL", "SETUSER", "remote", "-cluster")
	store := open(t, nil, queue.Options{URL: node.TCPURL(), Username: "remote", Password: remotePassword})
	if err := store.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "CLUSTER SLOTS") {
		t.Errorf("Check returned %v, want what is missing", err)
	}
	grant(t, node)
	wait.For(t, "the store", func() error { return store.Check(t.Context()) })
	mustAdmit(t, store, admission(numbered(1), 0))
}

// TestLoadingIsWaitedFor: a server answers while it reads its log, but no command.
func TestLoadingIsWaitedFor(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := open(t, server, queue.Options{})
	// It listens to nobody before it has read a thousand commands.
	for i := range 500 {
		mustAdmit(t, store, admission(numbered(i), 0))
	}
	server.Kill(t)
	ready := make(chan struct{})
	go func() {
		defer close(ready)
		server.Restart(t, "--key-load-delay", "1000") // µs for each, until it has said so
	}()
	loading := false
	wait.For(t, "the store", func() error {
		receipt, err := store.Admit(t.Context(), admission(numbered(0), 0))
		if err != nil && !errors.Is(err, queue.ErrUnavailable) {
			t.Errorf("Admit returned %v, want ErrUnavailable", err)
		}
		if !loading && err != nil && strings.Contains(err.Error(), "LOADING") {
			loading = true
			server.Do(t, "CONFIG", "SET", "key-load-delay", "0")
		}
		if err == nil && !receipt.Duplicate {
			t.Error("the event of before is forgotten")
		}
		return err
	})
	<-ready
	if !loading {
		t.Error("the server never said LOADING; the test proves nothing")
	}
}
