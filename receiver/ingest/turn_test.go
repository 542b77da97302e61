package ingest_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/ingest"
	"github.com/postern-dev/postern/receiver/route/routetest"
)

// TestLargeBodiesTakeTurns: many large bodies come at once, there is room for two
// at a time, and all are accepted.
func TestLargeBodiesTakeTurns(t *testing.T) {
	t.Parallel()
	const size, senders = 2 << 20, 30
	r := newReceiver(t, ingest.Options{MemoryBudgetBytes: 5 * size, RoomTimeout: time.Minute},
		routetest.GitHub("hook", maxBody(size)))
	body := bytes.Repeat([]byte{'x'}, size)
	var group sync.WaitGroup
	for i := range senders {
		group.Go(func() {
			if got := r.do(t, r.push("/ci/hook", fmt.Sprint(i), body)); got.status != http.StatusOK {
				t.Errorf("body %d of %d was answered %d %s", i, senders, got.status, got.body)
			}
		})
	}
	group.Wait()
}

// TestIdleBodiesLoseTheirTurn: senders that announce long bodies and send little
// of them keep others waiting for a second.
func TestIdleBodiesLoseTheirTurn(t *testing.T) {
	t.Parallel()
	const size = 200 << 10
	r := newReceiver(t, ingest.Options{
		MemoryBudgetBytes: 5 * size, RoomTimeout: time.Hour, BodyTimeout: time.Hour,
	}, routetest.GitHub("hook"))
	for range 2 {
		conn, err := net.Dial("tcp", r.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "POST /ci/hook HTTP/1.1\r\nHost: a\r\n"+lengthOf(size)+"\r\n\r\n12")
	}
	got := r.do(t, r.push("/ci/hook", "1", bytes.Repeat([]byte{'x'}, size)))
	if got.status != http.StatusOK {
		t.Errorf("answer %d %s", got.status, got.body)
	}
}
