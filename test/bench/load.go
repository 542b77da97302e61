package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/postern-dev/postern/receiver/route/routetest"
)

// load sends signed deliveries over a fixed number of connections, each one's
// next when the last is answered.
type load struct {
	url         string
	connections int
	body        []byte
	client      *http.Client
	// id makes every delivery another event.
	id *atomic.Int64
}

// figures are what a load saw.
type figures struct {
	count    int64
	took     time.Duration
	p50, p99 time.Duration
}

// rate is in requests a second.
func (f figures) rate() float64 { return float64(f.count) / f.took.Seconds() }

// ids are common to all loads: no two deliveries share one.
var ids atomic.Int64

func newLoad(o options, url string) *load {
	text := strings.Repeat(`{"ref":"refs/heads/main"} `, o.bodyBytes/26+1)
	return &load{
		url: url, connections: o.connections, body: []byte(text[:o.bodyBytes]), id: &ids,
		client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
			MaxIdleConnsPerHost: o.connections, MaxConnsPerHost: o.connections, DisableCompression: true,
		}},
	}
}

// header has what a provider sends.
func (l *load) header() http.Header {
	header := http.Header{
		"Accept":                                 {"*/*"},
		"X-Github-Hook-Id":                       {"292430182"},
		"X-Github-Hook-Installation-Target-Id":   {"79929171"},
		"X-Github-Hook-Installation-Target-Type": {"repository"},
		"Traceparent":                            {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
	}
	routetest.SignGitHub(header, routetest.Key, "", "push", l.body)
	return header
}

// run sends for a while, or a number of deliveries if count is not 0.
func (l *load) run(ctx context.Context, duration time.Duration, count int64) (figures, error) {
	var (
		group     sync.WaitGroup
		mu        sync.Mutex
		latencies []time.Duration
		failure   error
		sent      atomic.Int64
	)
	began := time.Now()
	more := func() bool {
		if count > 0 {
			return sent.Add(1) <= count
		}
		return time.Since(began) < duration
	}
	for range l.connections {
		group.Go(func() {
			own, err := l.loop(ctx, more)
			mu.Lock()
			defer mu.Unlock()
			latencies = append(latencies, own...)
			if err != nil {
				failure = err
			}
		})
	}
	group.Wait()
	took := time.Since(began)
	if failure != nil || len(latencies) == 0 {
		return figures{}, fmt.Errorf("after %d answers: %w", len(latencies), failure)
	}
	slices.Sort(latencies)
	n := len(latencies)
	return figures{count: int64(n), took: took, p50: latencies[n/2], p99: latencies[n*99/100]}, nil
}

// loop is one connection's.
func (l *load) loop(ctx context.Context, more func() bool) ([]time.Duration, error) {
	header := l.header()
	var latencies []time.Duration
	for more() {
		began := time.Now()
		header["X-Github-Delivery"] = []string{fmt.Sprintf("72d3162e-cc78-11e3-81ab-%012x", l.id.Add(1))}
		if err := l.post(ctx, header); err != nil {
			return latencies, err
		}
		latencies = append(latencies, time.Since(began))
	}
	return latencies, nil
}

func (l *load) post(ctx context.Context, header http.Header) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url, bytes.NewReader(l.body))
	if err != nil {
		return err
	}
	request.Header = header
	response, err := l.client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK || !bytes.Contains(answer, []byte(`"accepted"`)) {
		return fmt.Errorf("answer %d: %s", response.StatusCode, answer)
	}
	return nil
}
