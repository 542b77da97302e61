package ingest_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/postern-dev/postern/receiver/ingest"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/route/routetest"
)

// The tests of this file measure the memory of the whole process and therefore
// run alone.

// discard accepts every event and keeps none.
type discard struct{}

func (discard) Admit(_ context.Context, admission *queue.Admission) (queue.Receipt, error) {
	return queue.Receipt{EventID: admission.Event.ID}, nil
}

// TestManyLargeBodiesAreBounded has a thousand senders upload the largest body
// at once. What is held at the same time stays within the budget; who finds no
// room is asked to come back.
func TestManyLargeBodiesAreBounded(t *testing.T) { //nolint:paralleltest // it measures the process
	const senders, size, budget = 1000, 256 << 10, 16 << 20
	r := newReceiver(t, ingest.Options{Store: discard{}, MemoryBudgetBytes: budget},
		routetest.GitHub("hook", maxBody(size), routetest.Provider("none")))
	body := bytes.Repeat([]byte{'x'}, size)
	before := heap()
	var uploading, answered sync.WaitGroup
	gate := make(chan struct{})
	var accepted, refused atomic.Int64
	for range senders {
		uploading.Add(1)
		answered.Go(func() {
			status := upload(r, body, func() {
				uploading.Done()
				<-gate
			})
			switch status {
			case http.StatusOK:
				accepted.Add(1)
			case http.StatusServiceUnavailable, 0: // 0: cut off while the body was on its way
				refused.Add(1)
			default:
				t.Errorf("answer %d", status)
			}
		})
	}
	uploading.Wait()
	// Beside the bodies, each connection has its buffers.
	if held, most := heap()-before, int64(2*budget+senders*(64<<10)); held > most {
		t.Errorf("%d MiB are held, want at most %d MiB", held>>20, most>>20)
	}
	close(gate)
	answered.Wait()
	// How many find room depends on when each comes; some do.
	if accepted.Load() == 0 {
		t.Errorf("none was accepted, %d refused; there is room for %d", refused.Load(), budget/size)
	}
}

// upload sends all but the last byte, waits, sends that too and returns the
// status of the answer, 0 if there is none.
func upload(r *receiver, body []byte, wait func()) int {
	conn, err := net.Dial("tcp", r.Listener.Addr().String())
	if err != nil {
		wait()
		return 0
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "POST /ci/hook HTTP/1.1\r\nHost: a\r\n"+lengthOf(len(body))+"\r\n\r\n")
	_, _ = conn.Write(body[:len(body)-1]) // one that is refused is not read to its end
	wait()
	_, _ = conn.Write(body[len(body)-1:])
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	return response.StatusCode
}

func heap() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// endless is a body of one letter.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// TestTooLargeBodiesCostLittle: a body is read no further than one byte past
// the limit, however much of it there is.
func TestTooLargeBodiesCostLittle(t *testing.T) { //nolint:paralleltest // it measures the process
	const limit, sent = 4096, 64 << 20
	r := newReceiver(t, ingest.Options{}, routetest.GitHub("hook", maxBody(limit)))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	request := r.request(http.MethodPost, "/ci/hook", nil)
	request.Body, request.ContentLength = io.NopCloser(io.LimitReader(endless{}, sent)), -1
	response, err := r.Client().Do(request)
	if err == nil {
		defer response.Body.Close()
		if response.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("answer %d", response.StatusCode)
		}
	}
	runtime.ReadMemStats(&after)
	if cost := after.TotalAlloc - before.TotalAlloc; cost > sent/16 {
		t.Errorf("%d KiB were allocated for a body over %d bytes", cost>>10, limit)
	}
	if n := r.count(t, "uid-hook"); n != 0 {
		t.Errorf("%d events in the store", n)
	}
}
