package shim_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/queue/redistest"
	"github.com/postern-dev/postern/test/chaos/shim"
)

// TestServerUnderTheShim cannot run in parallel: the server gets the library by
// the environment.
func TestServerUnderTheShim(t *testing.T) {
	folder := t.TempDir()
	library, err := shim.Build(folder)
	if err != nil {
		t.Skip(err)
	}
	page, err := library.Page(filepath.Join(folder, "page"))
	if err != nil {
		t.Fatal(err)
	}
	defer page.Close()
	t.Setenv("LD_PRELOAD", "")
	for _, variable := range page.Env() {
		name, value, _ := strings.Cut(variable, "=")
		t.Setenv(name, value)
	}
	server := redistest.Start(t)
	if got := server.Do(t, "SET", "key", "value"); got != "OK" {
		t.Fatalf("SET says %s", got)
	}

	logs, err := filepath.Glob(filepath.Join(server.DataDir(), "appendonlydir", "*.incr.aof"))
	if err != nil || len(logs) != 1 {
		t.Fatalf("the logs are %v, %v, want one", logs, err)
	}
	info, err := os.Stat(logs[0])
	if err != nil {
		t.Fatal(err)
	}
	if length, err := page.Synchronised(logs[0]); err != nil || length != info.Size() {
		t.Errorf("%d bytes are synchronised, %v, want all %d: the server has answered", length, err, info.Size())
	}

	before := seconds(t, server)
	if err := page.Ahead(time.Hour); err != nil {
		t.Fatal(err)
	}
	if got := seconds(t, server) - before; got < 3500 {
		t.Errorf("the server's clock went %d s forward, want an hour", got)
	}
}

// seconds is the time of the server.
func seconds(t *testing.T, server *redistest.Server) int64 {
	t.Helper()
	reply := server.Do(t, "EVAL", "return redis.call('TIME')[1]", "0")
	at, err := strconv.ParseInt(reply, 10, 64)
	if err != nil {
		t.Fatalf("TIME says %q", reply)
	}
	return at
}
