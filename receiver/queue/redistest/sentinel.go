package redistest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// PrimaryName is what a [Sentinel] calls the primary that it watches.
const PrimaryName = "postern"

// Sentinel is a primary with a replica and the sentinel that watches both.
type Sentinel struct {
	// Primary and Replica are as started; a failover swaps them.
	Primary, Replica *Server
	Watcher          *Server
}

// StartSentinel runs the three processes until the end of the test. The
// sentinel needs about a second to find out that the primary is gone.
func StartSentinel(t testing.TB, options ...Option) *Sentinel {
	t.Helper()
	replicating := WithArgs(Replicating...)
	s := &Sentinel{Primary: Start(t, append([]Option{WithTCP(t), replicating}, options...)...)}
	following := WithArgs("--replicaof", "127.0.0.1 "+s.Primary.port)
	s.Replica = Start(t, append([]Option{WithTCP(t), replicating, following}, options...)...)
	s.Primary.Await(t, "state=online", "INFO", "replication")
	s.Watcher = StartWatcher(t, s.Primary)
	s.Watcher.Await(t, "num-slaves:1", "SENTINEL", "MASTER", PrimaryName)
	return s
}

// StartWatcher runs a sentinel of a primary, over TLS if that is.
func StartWatcher(t testing.TB, primary *Server) *Server {
	t.Helper()
	s := &Server{dir: tempDir(t), program: program(), port: freePort(t)}
	if primary.encrypted != nil {
		s.encrypted = append(slices.Clone(primary.encrypted), "--tls-port", s.port)
		s.args = s.encrypted
	}
	// A sentinel rewrites its file; it takes the rest of its settings from there.
	config := filepath.Join(s.dir, "sentinel.conf")
	content := fmt.Sprintf(`bind 127.0.0.1
port %[1]s
sentinel monitor %[2]s 127.0.0.1 %[3]s 1
sentinel down-after-milliseconds %[2]s 1000
sentinel failover-timeout %[2]s 5000
`, s.port, PrimaryName, primary.port)
	if err := os.WriteFile(config, []byte(content), 0o600); err != nil {
		t.Fatalf("writing the sentinel's file: %v", err)
	}
	s.config = []string{config, "--sentinel"}
	t.Cleanup(func() { s.stop(t) })
	s.Restart(t)
	return s
}

// URL has the sentinel asked for the primary.
func (s *Sentinel) URL() string {
	return s.Watcher.TCPURL() + "?master_set=" + PrimaryName
}
