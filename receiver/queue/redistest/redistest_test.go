package redistest_test

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/postern-dev/postern/receiver/queue/redistest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

func TestServerKeepsItsDataAcrossKill(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	server.Do(t, "SET", "p:kept", "yes")

	server.Kill(t)
	server.Restart(t)

	if got := server.Do(t, "GET", "p:kept"); got != "yes" {
		t.Errorf("after kill and restart GET returned %q, want yes", got)
	}
}

func TestArgumentsOverrideTheDurableOnes(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.WithArgs("--appendfsync", "everysec"))
	if got := server.Do(t, "CONFIG", "GET", "appendfsync"); got != "map[appendfsync:everysec]" {
		t.Errorf("CONFIG GET appendfsync returned %s", got)
	}
}

func TestClusterKnowsItself(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, 3, true)
	if got := len(cluster.Nodes()); got != 6 {
		t.Fatalf("%d nodes, want 6", got)
	}
	owner := cluster.Owner(t, "p:{a}:pending")
	owner.Do(t, "SET", "p:{a}:pending", "here")
	for i, primary := range cluster.Primaries {
		if slots := primary.Do(t, "CLUSTER", "SLOTS"); !strings.Contains(slots, owner.Do(t, "CLUSTER", "MYID")) {
			t.Errorf("primary %d does not know the owner of the slot:\n%s", i, slots)
		}
		if got := primary.Do(t, "INFO", "replication"); !strings.Contains(got, "connected_slaves:1") {
			t.Errorf("primary %d has no replica:\n%s", i, got)
		}
	}
}

func TestSentinelPromotesTheReplica(t *testing.T) {
	t.Parallel()
	sentinel := redistest.StartSentinel(t)
	sentinel.Primary.Kill(t)
	sentinel.Replica.Await(t, "role:master", "INFO", "replication")
	sentinel.Primary.Restart(t)
	sentinel.Primary.Await(t, "role:slave", "INFO", "replication")
}

func TestTLSServerShowsItsCertificate(t *testing.T) {
	t.Parallel()
	authority := redistest.NewAuthority(t)
	server := redistest.Start(t, redistest.WithTLS(t, authority, "no"))
	roots := x509.NewCertPool()
	ca, err := os.ReadFile(filepath.Join(authority.Dir(), "ca.crt"))
	if err != nil || !roots.AppendCertsFromPEM(ca) {
		t.Fatalf("ca.crt: %v", err)
	}
	conn, err := tls.Dial("tcp", server.Address(), &tls.Config{RootCAs: roots})
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	if _, err := tls.Dial("tcp", server.Address(), &tls.Config{}); err == nil {
		t.Error("somebody without the authority believes the certificate")
	}
}
