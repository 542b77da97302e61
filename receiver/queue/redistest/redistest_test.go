package redistest_test

import (
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
