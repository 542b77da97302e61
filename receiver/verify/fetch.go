package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
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
	// staleFor is how long a document outlives failures to get it again: an
	// outage of the publisher must not refuse events.
	staleFor = 24 * time.Hour
	// renewAfter is the age from which a document is fetched again for a key
	// that is not in it, so that rotation is noticed and forgery bounded.
	renewAfter = time.Minute
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
	// at is when the body was got, until when it is used without asking again.
	at, until time.Time
	body      []byte
	err       error
	// failed is true when the last fetch was none.
	failed bool
}

// NewTransport returns a transport for [NewFetcher] with the proxy of the
// environment. control, which may be nil, judges the addresses that names
// resolve to, as net.Dialer.Control does: issuers are tenants' choice.
func NewTransport(control func(network, address string, conn syscall.RawConn) error) *http.Transport {
	dialer := &net.Dialer{Timeout: fetchTimeout, Control: control}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, TLSHandshakeTimeout: fetchTimeout,
		MaxIdleConns: 4, IdleConnTimeout: 30 * time.Second, ForceAttemptHTTP2: true,
	}
}

// NewFetcher returns a fetcher over the given transport, such as [NewTransport].
func NewFetcher(transport http.RoundTripper) *Fetcher {
	return &Fetcher{
		client: &http.Client{
			Transport: transport, Timeout: fetchTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		limiter: rate.NewLimiter(5, 20),
		cached:  map[string]fetched{},
	}
}

// Close gives up idle connections.
func (f *Fetcher) Close() { f.client.CloseIdleConnections() }

var errOffline = errors.New("the provider's public key is not pinned and cannot be fetched here: " +
	"set source.options.certificate, publicKey or jwks")

// get returns a document, from the cache while it is fresh.
func (f *Fetcher) get(ctx context.Context, address string, now time.Time) ([]byte, error) {
	return f.newer(ctx, address, now, freshFor)
}

// renew returns a document that lacked something a minute ago.
func (f *Fetcher) renew(ctx context.Context, address string, now time.Time) ([]byte, error) {
	return f.newer(ctx, address, now, renewAfter)
}

// newer returns a document of at most that age, or an older one when the
// publisher cannot be reached.
func (f *Fetcher) newer(ctx context.Context, address string, now time.Time, age time.Duration) ([]byte, error) {
	if f == nil {
		return nil, errOffline
	}
	if known, ok := f.lookup(address, now, age); ok {
		return known.body, known.err
	}
	// The fetch is shared by many requests, so it must not end with this one.
	flight := f.flights.DoChan(address, func() (any, error) {
		body, err := f.load(context.WithoutCancel(ctx), address)
		kept := f.keep(address, body, err, now)
		return kept.body, kept.err
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

func (f *Fetcher) lookup(address string, now time.Time, limit time.Duration) (fetched, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	known, ok := f.cached[address]
	if !ok || now.Before(known.at.Add(-freshFor)) {
		return known, false // a clock that was put back must not keep a document for ever
	}
	return known, now.Before(known.until) && (known.failed || now.Sub(known.at) < limit)
}

// keep stores a result and returns what to use; when there are too many, the
// oldest goes.
func (f *Fetcher) keep(address string, body []byte, err error, now time.Time) fetched {
	f.mu.Lock()
	defer f.mu.Unlock()
	previous, known := f.cached[address]
	result := fetched{at: now, until: now.Add(freshFor), body: body, err: err, failed: err != nil}
	if result.failed {
		result.until = now.Add(failedFor)
	}
	if result.failed && previous.body != nil && now.Sub(previous.at) < staleFor {
		result.at, result.body, result.err = previous.at, previous.body, nil
	}
	if !known && len(f.cached) >= maxCached {
		oldest := ""
		for candidate, entry := range f.cached {
			if oldest == "" || entry.at.Before(f.cached[oldest].at) {
				oldest = candidate
			}
		}
		delete(f.cached, oldest)
	}
	f.cached[address] = result
	return result
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
