package ingest_test

import (
	"cmp"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/ingest"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/queue/queuetest"
	"github.com/postern-dev/postern/receiver/queue/redistest"
	"github.com/postern-dev/postern/receiver/route/routetest"
	"github.com/postern-dev/postern/test/wait"
)

// newRedisReceiver is a receiver on a redis-server of its own.
func newRedisReceiver(t *testing.T, options ingest.Options, args ...redistest.Option) (*receiver, *redistest.Server) {
	t.Helper()
	server := redistest.Start(t, args...)
	store := queuetest.Connect(t, queue.Options{URL: server.URL(), PollInterval: 20 * time.Millisecond})
	options.StoreTimeout = cmp.Or(options.StoreTimeout, wait.Patience)
	options.Store = store
	r := newReceiver(t, options, routetest.GitHub("hook"))
	r.store = store
	return r, server
}

// eventually asks until the answer is the wanted one.
func (r *receiver) eventually(t *testing.T, id string, status int, content string) {
	t.Helper()
	wait.For(t, "the answer", func() error {
		got := r.do(t, r.push("/ci/hook", id, payload))
		if got.status != status || !strings.Contains(got.body, content) {
			return fmt.Errorf("it is %d %s, want %d %s", got.status, got.body, status, content)
		}
		return nil
	})
}

func TestRedisAcceptsAndRemembersAcrossAKill(t *testing.T) {
	t.Parallel()
	r, server := newRedisReceiver(t, ingest.Options{})
	r.eventually(t, "first", 200, "accepted")
	server.Kill(t)
	server.Restart(t)
	r.eventually(t, "first", 200, "duplicate")
	event := r.stored(t, "uid-hook").Event
	if string(event.Body) != string(payload) || event.DeliveryID != "first" {
		t.Errorf("event is %+v", event)
	}
}

func TestRedisDown(t *testing.T) {
	t.Parallel()
	r, server := newRedisReceiver(t, ingest.Options{})
	r.eventually(t, "before", 200, "accepted")
	server.Kill(t)
	got := r.do(t, r.push("/ci/hook", "while-down", payload))
	if got.status != 503 || got.content["error"] != "store_unavailable" || got.header.Get("Retry-After") != "5" {
		t.Errorf("answer %d %s %v", got.status, got.body, got.header)
	}
	server.Restart(t)
	r.eventually(t, "while-down", 200, "accepted")
}

func TestRedisStalledIsRefusedInTime(t *testing.T) {
	t.Parallel()
	r, server := newRedisReceiver(t, ingest.Options{StoreTimeout: 200 * time.Millisecond})
	r.eventually(t, "before", 200, `"status":"`)
	server.Pause(t)
	defer server.Resume(t)
	began := time.Now()
	got := r.do(t, r.push("/ci/hook", "stalled", payload))
	if got.status != 503 || got.content["error"] != "store_unavailable" {
		t.Errorf("answer %d %s", got.status, got.body)
	}
	if took := time.Since(began); took > wait.Patience/2 {
		t.Errorf("the sender waited %s", took)
	}
	// What was not acknowledged may or may not be stored; the retry settles it.
	server.Resume(t)
	r.eventually(t, "stalled", 200, `"status":"`)
	if n := r.count(t, "uid-hook"); n != 2 {
		t.Errorf("%d events, want two", n)
	}
}

func TestRedisFull(t *testing.T) {
	t.Parallel()
	r, _ := newRedisReceiver(t, ingest.Options{}, redistest.WithArgs("--maxmemory", "8mb"))
	r.eventually(t, "first", 200, "accepted")
	big := []byte(strings.Repeat("x", 512<<10))
	for i := range 64 {
		got := r.do(t, r.push("/ci/hook", fmt.Sprint("big", i), big))
		if got.status == 200 {
			continue
		}
		if got.status != 503 || got.content["error"] != "store_full" || got.header.Get("Retry-After") != "30" {
			t.Errorf("answer %d %s %v", got.status, got.body, got.header)
		}
		return
	}
	t.Fatal("32 MiB fit into 8")
}

func TestRedisWithWeakDurabilityIsNotUsed(t *testing.T) {
	t.Parallel()
	r, server := newRedisReceiver(t, ingest.Options{}, redistest.WithArgs("--appendfsync", "everysec"))
	got := r.do(t, r.push("/ci/hook", "1", payload))
	if got.status != 503 || got.content["error"] != "store_unavailable" {
		t.Errorf("answer %d %s", got.status, got.body)
	}
	if !strings.Contains(r.log.String(), "appendfsync") {
		t.Errorf("the log does not name the setting:\n%s", r.log)
	}
	server.Do(t, "CONFIG", "SET", "appendfsync", "always")
	r.eventually(t, "1", 200, "accepted")
}

func TestRedisCopiesMakeOneEvent(t *testing.T) {
	t.Parallel()
	r, _ := newRedisReceiver(t, ingest.Options{})
	r.eventually(t, "warm-up", 200, "accepted")
	const copies = 32
	answers := make(chan reply, copies)
	var sending sync.WaitGroup
	for range copies {
		sending.Go(func() { answers <- r.do(t, r.push("/ci/hook", "same", payload)) })
	}
	sending.Wait()
	close(answers)
	accepted := 0
	for got := range answers {
		if got.status != 200 {
			t.Errorf("answer %d %s", got.status, got.body)
		}
		if got.content["status"] == "accepted" {
			accepted++
		}
	}
	if accepted != 1 {
		t.Errorf("%d accepted, want one", accepted)
	}
}
