package server_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/queue/redistest"
	"github.com/postern-dev/postern/receiver/route/routetest"
)

const (
	// floodPhase is how long a client is measured, alone and beside the load.
	floodPhase = 10 * time.Second
	// floodPace is how often the measured client sends.
	floodPace = 5 * time.Millisecond
	// floodConnections is how many the load has, each of which sends as fast as
	// it is answered.
	floodConnections = 64
)

// BenchmarkFlood measures the 99th percentile of a client's durable answers,
// alone and beside one other client that sends invalid requests at full speed,
// and prints their ratio. Both clients are in this process, and share the
// machine with the receiver and a real Redis.
func BenchmarkFlood(b *testing.B) {
	store := redistest.Start(b)
	w := start(b, newTarget(b, nil).URL, on(connect(b, store)))
	w.load(b, routetest.GitHub("hook"), routetest.GitHub("other", of("shop")))
	for i := range b.N {
		w.steady(b, fmt.Sprint("warm-up-", i), time.Second)
		alone := w.steady(b, fmt.Sprint("alone-", i), floodPhase)
		stop, count := w.flood(b)
		w.steady(b, fmt.Sprint("begin-", i), time.Second)
		begun := count.Load()
		loaded := w.steady(b, fmt.Sprint("loaded-", i), floodPhase)
		rate := float64(count.Load()-begun) / floodPhase.Seconds()
		stop()
		b.ReportMetric(alone.Seconds()*1e3, "ms-p99-alone")
		b.ReportMetric(loaded.Seconds()*1e3, "ms-p99-loaded")
		b.ReportMetric(loaded.Seconds()/alone.Seconds(), "ratio")
		b.ReportMetric(rate, "invalid/s")
	}
}

// steady sends signed events at a fixed pace, whatever becomes of those before,
// and returns the 99th percentile of the time to their answers.
func (w *world) steady(b *testing.B, name string, phase time.Duration) time.Duration {
	b.Helper()
	var (
		mu    sync.Mutex
		took  []time.Duration
		group sync.WaitGroup
	)
	ticker := time.NewTicker(floodPace)
	defer ticker.Stop()
	for i := range int(phase / floodPace) {
		due := <-ticker.C
		group.Go(func() {
			request := w.pushRequest(b, fmt.Sprint(name, "-", i))
			if got := w.do(b, request); got.status != http.StatusOK {
				b.Errorf("event %d was answered %d %s", i, got.status, got.body)
			}
			mu.Lock()
			took = append(took, time.Since(due))
			mu.Unlock()
		})
	}
	group.Wait()
	slices.Sort(took)
	return took[len(took)*99/100]
}

// flood sends forged events of 16 KiB from another address, until it is stopped.
func (w *world) flood(b *testing.B) (stop func(), sent *atomic.Int64) {
	b.Helper()
	sent = &atomic.Int64{}
	ctx, cancel := context.WithCancel(context.Background())
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	transport := &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: floodConnections}
	body := bytes.Repeat([]byte("x"), 16<<10)
	var group sync.WaitGroup
	for range floodConnections {
		group.Go(func() {
			for ctx.Err() == nil {
				request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+w.Addr().String()+"/shop/other",
					bytes.NewReader(body))
				if err != nil {
					b.Error(err)
					return
				}
				routetest.SignGitHub(request.Header, "forged", "1", "push", body)
				response, err := transport.RoundTrip(request)
				if err != nil {
					continue
				}
				_, _ = io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
				sent.Add(1)
			}
		})
	}
	return func() {
		cancel()
		group.Wait()
		transport.CloseIdleConnections()
	}, sent
}
