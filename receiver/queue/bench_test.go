package queue_test

import (
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/queue/queuetest"
	"github.com/postern-dev/postern/receiver/queue/redistest"
)

// benchmarkBody is the size of a small webhook.
const benchmarkBody = 1 << 10

// BenchmarkAdmit stores events from many goroutines at once, as requests come.
func BenchmarkAdmit(b *testing.B) {
	for _, parallel := range []int{1, 32, 256} {
		b.Run(fmt.Sprintf("parallel=%d", parallel), func(b *testing.B) {
			server := redistest.Start(b)
			store := open(b, server, queue.Options{})
			defer reportServerCPU(b, server)
			inParallel(b, parallel, func(i int64) error {
				_, err := store.Admit(b.Context(), benchmarkAdmission(i))
				return err
			})
		})
	}
}

// BenchmarkCycle stores and delivers, handed over in memory: two steps an event.
func BenchmarkCycle(b *testing.B) {
	attempt := &queue.Attempt{At: time.Now(), Status: 200, Latency: time.Millisecond}
	for _, parallel := range []int{32, 256} {
		b.Run(fmt.Sprintf("parallel=%d", parallel), func(b *testing.B) {
			server := redistest.Start(b)
			store := open(b, server, queue.Options{})
			defer reportServerCPU(b, server)
			inParallel(b, parallel, func(i int64) error {
				receipt, err := store.Admit(b.Context(), benchmarkAdmission(i))
				if err != nil {
					return err
				}
				return store.Settle(b.Context(), receipt.Leases[0], queue.Settlement{Attempt: attempt})
			})
		})
	}
}

// BenchmarkMemory measures what an event takes in the server's memory.
func BenchmarkMemory(b *testing.B) {
	server := redistest.Start(b)
	store := open(b, server, queue.Options{})
	const events = 20_000
	for range b.N {
		server.Do(b, "FLUSHALL")
		empty := usedMemory(b, server)
		leases := make([]queue.Lease, events)
		for i := range leases {
			receipt, err := store.Admit(b.Context(), benchmarkAdmission(int64(i)))
			if err != nil {
				b.Fatal(err)
			}
			leases[i] = receipt.Leases[0]
		}
		pending := usedMemory(b, server)
		for _, lease := range leases {
			if err := store.Settle(b.Context(), lease, queue.Settlement{}); err != nil {
				b.Fatal(err)
			}
		}
		tombstones := usedMemory(b, server)
		b.ReportMetric((pending-empty)/events, "B/pending")
		b.ReportMetric((tombstones-empty)/events, "B/tombstone")
	}
}

func benchmarkAdmission(i int64) *queue.Admission {
	e := queuetest.Event(uid, numbered(int(i)), time.Now())
	e.Body = []byte(strings.Repeat("x", benchmarkBody))
	for header := range 8 {
		e.Header["X-Header-"+strconv.Itoa(header)] = []string{"a value of usual length"}
	}
	return &queue.Admission{
		Event: e, Targets: []string{"builder"}, RememberFor: time.Hour, HistoryLimit: 100, LeaseFor: leaseFor,
	}
}

// inParallel spreads b.N calls over goroutines, b.RunParallel's multiple of
// processors aside.
func inParallel(b *testing.B, goroutines int, call func(i int64) error) {
	b.Helper()
	b.ReportAllocs()
	var next atomic.Int64
	failures := make(chan error, goroutines)
	b.ResetTimer()
	for range goroutines {
		go func() {
			for {
				i := next.Add(1)
				if i > int64(b.N) {
					failures <- nil
					return
				}
				if err := call(i); err != nil {
					failures <- err
					return
				}
			}
		}()
	}
	for range goroutines {
		if err := <-failures; err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// reportServerCPU says how much processor time the server took for an event.
func reportServerCPU(b *testing.B, server *redistest.Server) {
	b.Helper()
	seconds := info(b, server, "cpu", "used_cpu_user") + info(b, server, "cpu", "used_cpu_sys")
	b.ReportMetric(seconds/float64(b.N)*1e6, "server-cpu-us/op")
}

func usedMemory(b testing.TB, server *redistest.Server) float64 {
	b.Helper()
	return info(b, server, "memory", "used_memory")
}

func info(b testing.TB, server *redistest.Server, section, name string) float64 {
	b.Helper()
	for line := range strings.Lines(server.Do(b, "INFO", section)) {
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), name+":"); ok {
			value, err := strconv.ParseFloat(text, 64)
			if err != nil {
				b.Fatal(err)
			}
			return value
		}
	}
	b.Fatalf("INFO %s says nothing of %s", section, name)
	return 0
}
