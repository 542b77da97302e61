package ingest_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/ingest"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/queue/redistest"
	"github.com/postern-dev/postern/receiver/route/routetest"
)

// senders is how many requests are under way at a time, for each processor.
const senders = 32

// BenchmarkRequestToAck measures from a sender's request to its answer over
// real HTTP, for a signed delivery of 1 KiB. Beside it runs the least that
// anybody could do, a plain net/http server that only verifies the HMAC;
// x-plain is how much more time Postern takes than that.
func BenchmarkRequestToAck(b *testing.B) {
	body := bytes.Repeat([]byte(`{"ref":"refs/heads/main"} `), 1024/26)
	var plain time.Duration
	b.Run("plain", func(b *testing.B) {
		server := httptest.NewServer(http.HandlerFunc(verifyOnly))
		b.Cleanup(server.Close)
		plain = measure(b, server.URL, body)
	})
	for _, test := range []struct {
		name  string
		store func(b *testing.B) queue.Admitter
	}{
		{"store=none", func(*testing.B) queue.Admitter { return forgetful{} }},
		{"store=memory", func(*testing.B) queue.Admitter {
			return queue.NewMemory(queue.MemoryOptions{MaxBytes: 4 << 30})
		}},
		{"store=redis", newBenchRedis},
	} {
		b.Run(test.name, func(b *testing.B) {
			r := newReceiver(b, ingest.Options{Store: test.store(b)}, routetest.GitHub("hook"))
			each := measure(b, r.URL+"/ci/hook", body)
			if plain > 0 {
				b.ReportMetric(float64(each)/float64(plain), "x-plain")
			}
		})
	}
}

// newBenchRedis is a redis-server that syncs every commit to disk.
func newBenchRedis(b *testing.B) queue.Admitter {
	server := redistest.Start(b)
	store, err := queue.NewRedis(context.Background(), queue.Options{URL: server.URL()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(store.Close)
	return store
}

// measure sends b.N deliveries and returns the time that each took of the whole.
func measure(b *testing.B, url string, body []byte) time.Duration {
	header := http.Header{}
	routetest.SignGitHub(header, routetest.Key, "", "push", body)
	transport := &http.Transport{MaxIdleConnsPerHost: 1024}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	var count atomic.Int64
	var mu sync.Mutex
	var latencies []time.Duration
	b.ReportAllocs()
	b.SetParallelism(senders)
	b.ResetTimer()
	b.RunParallel(func(loop *testing.PB) {
		var own []time.Duration
		for loop.Next() {
			began := time.Now()
			id := fmt.Sprintf("72d3162e-cc78-11e3-81ab-%012x", count.Add(1))
			if err := post(client, url, header, id, body); err != nil {
				b.Error(err)
				return
			}
			own = append(own, time.Since(began))
		}
		mu.Lock()
		defer mu.Unlock()
		latencies = append(latencies, own...)
	})
	b.StopTimer()
	slices.Sort(latencies)
	if n := len(latencies); n > 0 {
		b.ReportMetric(float64(latencies[n/2].Microseconds()), "p50-µs")
		b.ReportMetric(float64(latencies[n*99/100].Microseconds()), "p99-µs")
	}
	return b.Elapsed() / time.Duration(b.N)
}

func post(client *http.Client, url string, header http.Header, id string, body []byte) error {
	request, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header = header.Clone()
	request.Header.Set("X-GitHub-Delivery", id)
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || !bytes.Contains(answer, []byte("accepted")) {
		return fmt.Errorf("answer %d %s: %w", response.StatusCode, answer, err)
	}
	return nil
}

// verifyOnly is the least that a receiver can do.
func verifyOnly(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		http.Error(w, "bad body", http.StatusBadRequest)
		return
	}
	text, _ := strings.CutPrefix(r.Header.Get("X-Hub-Signature-256"), "sha256=")
	signature, err := hex.DecodeString(text)
	hash := hmac.New(sha256.New, []byte(routetest.Key))
	hash.Write(body)
	if err != nil || !hmac.Equal(signature, hash.Sum(nil)) {
		http.Error(w, "bad signature", http.StatusUnauthorized)
		return
	}
	_, _ = io.WriteString(w, `{"status":"accepted"}`)
}

// forgetful is no store at all: what is left is the hot path itself.
type forgetful struct{}

func (forgetful) Admit(_ context.Context, admission *queue.Admission) (queue.Receipt, error) {
	return queue.Receipt{EventID: admission.Event.ID}, nil
}
