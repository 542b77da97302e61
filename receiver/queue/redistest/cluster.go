package redistest

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

const slots = 16384

// Cluster is a running Redis Cluster on the loopback interface.
type Cluster struct {
	// Primaries hold the slots, about as many each.
	Primaries []*Server
	// Replicas hold copies, the first that of the first primary and so on; a
	// failover changes who is what.
	Replicas []*Server
}

// StartCluster runs a Cluster until the end of the test: that many primaries,
// with one replica each if asked for.
func StartCluster(t testing.TB, primaries int, replicas bool, options ...Option) *Cluster {
	t.Helper()
	c := &Cluster{}
	for range primaries {
		c.Primaries = append(c.Primaries, startNode(t, options))
		if replicas {
			c.Replicas = append(c.Replicas, startNode(t, options))
		}
	}
	for i, node := range c.Primaries {
		node.Do(t, "CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(c.firstSlot(i)), strconv.Itoa(c.firstSlot(i+1)-1))
	}
	c.introduce(t)
	for _, node := range c.Nodes() {
		node.Await(t, fmt.Sprintf("cluster_known_nodes:%d", len(c.Nodes())), "CLUSTER", "INFO")
		node.Await(t, "cluster_state:ok", "CLUSTER", "INFO")
	}
	for i, node := range c.Replicas {
		node.Do(t, "CLUSTER", "REPLICATE", c.Primaries[i].Do(t, "CLUSTER", "MYID"))
	}
	for i := range c.Replicas {
		c.Primaries[i].Await(t, "state=online", "INFO", "replication")
	}
	c.awaitReplicas(t)
	c.Forgive(time.Hour)
	return c
}

// Forgive sets how long a node may be silent before the others think that it is
// gone. For an hour at first: a busy machine silences nodes for seconds. A test of
// what becomes of a node that is gone sets a second or two.
func (c *Cluster) Forgive(silence time.Duration) {
	for _, node := range c.Nodes() {
		// One that is gone is not asked, and comes back with the setting of its start.
		_, _ = node.ask([]string{"CONFIG", "SET", "cluster-node-timeout", strconv.FormatInt(silence.Milliseconds(), 10)})
	}
}

func startNode(t testing.TB, options []Option) *Server {
	t.Helper()
	args := []string{
		"--cluster-enabled", "yes", "--cluster-port", freePort(t),
		// Nodes talk the more often, the shorter it is; see [Cluster.Forgive].
		"--cluster-node-timeout", "2000",
	}
	return Start(t, append([]Option{WithTCP(t), WithArgs(args...), WithArgs(Replicating...)}, options...)...)
}

// introduce has every node meet every other: gossip would take longer.
func (c *Cluster) introduce(t testing.TB) {
	t.Helper()
	nodes := c.Nodes()
	for i, node := range nodes {
		// Nodes that have an epoch of their own have nothing to settle first.
		node.Do(t, "CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1))
		reply := strings.Fields(node.Do(t, "CONFIG", "GET", "cluster-port"))[0]
		bus := strings.Trim(strings.TrimPrefix(reply, "map[cluster-port:"), "]")
		for _, other := range nodes[:i] {
			other.Do(t, "CLUSTER", "MEET", "127.0.0.1", node.port, bus)
		}
	}
}

// awaitReplicas returns when every node knows of every replica.
func (c *Cluster) awaitReplicas(t testing.TB) {
	t.Helper()
	for _, replica := range c.Replicas {
		id := replica.Do(t, "CLUSTER", "MYID")
		for _, node := range c.Nodes() {
			node.Await(t, id, "CLUSTER", "SLOTS")
		}
	}
}

// Nodes are all servers, primaries first.
func (c *Cluster) Nodes() []*Server {
	return append(append([]*Server{}, c.Primaries...), c.Replicas...)
}

// URL names every node, so that a client may start while one is away.
func (c *Cluster) URL() string {
	url := ""
	for i, node := range c.Nodes() {
		switch i {
		case 0:
			url = node.TCPURL()
		case 1:
			url += "?addr=" + node.Address()
		default:
			url += "&addr=" + node.Address()
		}
	}
	return url
}

func (c *Cluster) firstSlot(primary int) int { return slots * primary / len(c.Primaries) }

// Owner is the primary that got the key's slot when the Cluster was started.
func (c *Cluster) Owner(t testing.TB, key string) *Server {
	t.Helper()
	slot := c.Slot(t, key)
	for i, primary := range c.Primaries {
		if slot < c.firstSlot(i+1) {
			return primary
		}
	}
	return nil // there is no such slot
}

// Slot is the slot of a key.
func (c *Cluster) Slot(t testing.TB, key string) int {
	t.Helper()
	slot, err := strconv.Atoi(c.Primaries[0].Do(t, "CLUSTER", "KEYSLOT", key))
	if err != nil {
		t.Fatalf("CLUSTER KEYSLOT %s: %v", key, err)
	}
	return slot
}
