package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/postern-dev/postern/test/e2e/wire"
)

// again is when an event that was refused is sent again; providers take longer.
const again = 200 * time.Millisecond

// load sends events from begin to end. There is one at a time.
type load struct {
	mu     sync.Mutex
	cancel context.CancelFunc
	wait   sync.WaitGroup
	result wire.Loaded
}

func (l *load) begin(w http.ResponseWriter, r *http.Request) {
	var order wire.Load
	if err := json.NewDecoder(r.Body).Decode(&order); err != nil || order.PerSecond < 1 {
		http.Error(w, fmt.Sprintf("not a load: %+v, %v", order, err), http.StatusBadRequest)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cancel != nil {
		http.Error(w, "there is a load already", http.StatusConflict)
		return
	}
	// It outlives this request.
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	l.cancel, l.result = cancel, wire.Loaded{Refused: map[string]int{}}
	l.wait.Go(func() { l.run(ctx, order) })
}

func (l *load) end(w http.ResponseWriter, _ *http.Request) {
	l.mu.Lock()
	cancel := l.cancel
	l.cancel = nil
	l.mu.Unlock()
	if cancel != nil {
		cancel()
	}
	l.wait.Wait()
	answer(w, l.result)
}

func (l *load) run(ctx context.Context, order wire.Load) {
	// A connection for each request: none is closed under one by its server.
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	ticker := time.NewTicker(time.Second / time.Duration(order.PerSecond))
	defer ticker.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			body := fmt.Appendf(nil, `{"n":%d}`, n)
			l.wait.Go(func() { l.insist(ctx, client, order, rand.Text(), body) })
		}
	}
}

// insist sends one event until it is acknowledged or the load ends.
func (l *load) insist(ctx context.Context, client *http.Client, order wire.Load, delivery string, body []byte) {
	for {
		// A request under way is finished even when the load ends: its answer counts.
		id, err := post(context.WithoutCancel(ctx), client, order, delivery, body)
		l.mu.Lock()
		if err == nil {
			l.result.Acknowledged = append(l.result.Acknowledged, id)
		} else {
			l.result.Refused[err.Error()]++
		}
		l.mu.Unlock()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(again):
		}
	}
}

// post sends one signed GitHub event and returns the id that it was given.
func post(
	ctx context.Context, client *http.Client, order wire.Load, delivery string, body []byte,
) (id string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, order.URL, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, []byte(order.Secret))
	mac.Write(body)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-GitHub-Event", "push")
	request.Header.Set("X-GitHub-Delivery", delivery)
	request.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	var said struct{ ID, Error string }
	if err := json.NewDecoder(response.Body).Decode(&said); err != nil {
		return "", fmt.Errorf("answer %d is not the receiver's: %w", response.StatusCode, err)
	}
	if response.StatusCode/100 != 2 {
		return "", fmt.Errorf("answer %d %s", response.StatusCode, said.Error)
	}
	return said.ID, nil
}
