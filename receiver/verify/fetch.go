package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"
)

const (
	fetchTimeout = 2 * time.Second
	// maxFetched bounds a fetched document, in bytes.
	maxFetched = 256 << 10
	// maxCached bounds how many documents are kept.
	maxCached = 64
	// freshFor is how long a document is used without asking again, and
	// failedFor how long a failure is.
	freshFor  = time.Hour
	failedFor = 15 * time.Second
)

// Fetcher gets the public keys that some providers publish. It is bounded in
// time, size, memory and rate, so that forged requests cannot make it a weapon:
// callers pass only URLs whose host is pinned to the provider. A nil Fetcher
// refuses every fetch, which is what offline verification wants.
type Fetcher struct {
	client  *http.Client
	limiter *rate.Limiter
	flights singleflight.Group

	mu     sync.Mutex
	cached map[string]fetched
}

type fetched struct {
	at   time.Time
	body []byte
	err  error
}

// NewFetcher returns a fetcher over the given transport; nil means a transport
// of its own with the proxy of the environment.
func NewFetcher(transport http.RoundTripper) *Fetcher {
	if transport == nil {
		transport = &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: fetchTimeout, MaxIdleConns: 4,
			IdleConnTimeout: 30 * time.Second, ForceAttemptHTTP2: true,
		}
	}
	return &Fetcher{
		client: &http.Client{
			Transport: transport, Timeout: fetchTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		limiter: rate.NewLimiter(5, 20),
		cached:  map[string]fetched{},
	}
}

var errOffline = errors.New("the provider's public key is not pinned and cannot be fetched here: " +
	"set source.options.certificate, publicKey or jwks")

// get returns a document, from the cache while it is fresh.
func (f *Fetcher) get(ctx context.Context, address string, now time.Time) ([]byte, error) {
	if f == nil {
		return nil, errOffline
	}
	if known, ok := f.lookup(address, now); ok {
		return known.body, known.err
	}
	// The fetch is shared by many requests, so it must not end with this one.
	flight := f.flights.DoChan(address, func() (any, error) {
		body, err := f.load(context.WithoutCancel(ctx), address)
		f.keep(address, fetched{at: now, body: body, err: err})
		return body, err
	})
	select {
	case <-ctx.Done():
		return nil, fmt.Errorf("fetch %s: %w", address, ctx.Err())
	case result := <-flight:
		body, _ := result.Val.([]byte)
		return body, result.Err
	}
}

// visit asks for a page once, for its effect.
func (f *Fetcher) visit(ctx context.Context, address string) error {
	if f == nil {
		return nil
	}
	_, err := f.load(ctx, address)
	return err
}

func (f *Fetcher) lookup(address string, now time.Time) (fetched, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	known, ok := f.cached[address]
	limit := freshFor
	if known.err != nil {
		limit = failedFor
	}
	age := now.Sub(known.at)
	return known, ok && age < limit && age > -limit
}

// keep stores a result; when there are too many, the oldest goes.
func (f *Fetcher) keep(address string, result fetched) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, known := f.cached[address]; !known && len(f.cached) >= maxCached {
		oldest := ""
		for candidate, entry := range f.cached {
			if oldest == "" || entry.at.Before(f.cached[oldest].at) {
				oldest = candidate
			}
		}
		delete(f.cached, oldest)
	}
	f.cached[address] = result
}

func (f *Fetcher) load(ctx context.Context, address string) ([]byte, error) {
	if !f.limiter.Allow() {
		return nil, fmt.Errorf("fetch %s: too many fetches of public keys, try again later", address)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w", address, err)
	}
	response, err := f.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("fetch public key: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetch %s: status %d", address, response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxFetched+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("fetch %s: %w", address, err)
	case len(body) > maxFetched:
		return nil, fmt.Errorf("fetch %s: longer than %d bytes", address, maxFetched)
	}
	return body, nil
}

// needKeys refuses an endpoint without any public key.
func needKeys(count int, option string) error {
	if count == 0 {
		return fmt.Errorf("source.options.%s: set it, or put the public key into the Secret", option)
	}
	return nil
}
