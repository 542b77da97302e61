package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
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
	// maxDocuments bounds how many documents an endpoint keeps, maxFailures how
	// many addresses that gave none, and maxHosts how many hosts are told apart.
	maxDocuments = 8
	maxFailures  = 32
	maxHosts     = 16
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

// Fetcher gets the public keys that some providers publish, for one endpoint.
// It is bounded in time, size, memory and rate, so that forged requests cannot
// make it a weapon: callers pass only URLs whose host is pinned to the provider.
// Endpoints share connections and nothing else, so that requests to one of them
// never keep another from its keys. A nil Fetcher refuses every fetch, which is
// what offline verification wants.
type Fetcher struct {
	client  *http.Client
	flights singleflight.Group

	mu sync.Mutex
	// limiter bounds the fetches of addresses that gave no document yet, hosts
	// those of each host.
	limiter   *rate.Limiter
	hosts     map[string]*rate.Limiter
	documents map[string]fetched
	failures  map[string]fetched
	// endpoints are the fetchers that For made.
	endpoints map[string]*Fetcher
}

// fetched is what came of the last fetch of an address.
type fetched struct {
	// at is when the body was got, until when it is used without asking again.
	at, until time.Time
	body      []byte
	err       error
	// failed is true when the last fetch was none.
	failed bool
}

// NewTransport returns a transport for [NewFetcher]. control, which may be nil,
// judges the addresses that names resolve to, as net.Dialer.Control does: issuers
// are tenants' choice. It connects directly, whatever proxy the environment names:
// a proxy would resolve the names, and control would judge the proxy alone.
func NewTransport(control func(network, address string, conn syscall.RawConn) error) *http.Transport {
	dialer := &net.Dialer{Timeout: fetchTimeout, Control: control}
	return &http.Transport{
		DialContext: dialer.DialContext, TLSHandshakeTimeout: fetchTimeout,
		MaxIdleConns: 4, IdleConnTimeout: 30 * time.Second, ForceAttemptHTTP2: true, MaxResponseHeaderBytes: 64 << 10,
	}
}

// NewFetcher returns a fetcher over the given transport, such as [NewTransport].
func NewFetcher(transport http.RoundTripper) *Fetcher {
	return newFetcher(&http.Client{
		Transport: transport, Timeout: fetchTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	})
}

func newFetcher(client *http.Client) *Fetcher {
	return &Fetcher{
		client: client, limiter: rate.NewLimiter(5, 20), hosts: map[string]*rate.Limiter{},
		documents: map[string]fetched{}, failures: map[string]fetched{}, endpoints: map[string]*Fetcher{},
	}
}

// For returns the fetcher of an endpoint, which has limits and documents of its
// own. They outlive edits of the endpoint. For of nil is nil.
func (f *Fetcher) For(uid string) *Fetcher {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	own := f.endpoints[uid]
	if own == nil {
		own = newFetcher(f.client)
		f.endpoints[uid] = own
	}
	return own
}

// Keep forgets the endpoints for which known is false.
func (f *Fetcher) Keep(known func(uid string) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	maps.DeleteFunc(f.endpoints, func(uid string, _ *Fetcher) bool { return !known(uid) })
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
		if !f.allow(address) {
			return nil, fmt.Errorf("fetch %s: too many fetches of public keys, try again later", address)
		}
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
	if !f.allow(address) {
		return fmt.Errorf("visit %s: too many requests, try again later", address)
	}
	_, err := f.load(ctx, address)
	return err
}

// allow asks the limits of the host and of the endpoint. An address that gave a
// document before is free of them, since its age bounds how often it is fetched:
// forged addresses must not keep a known one from being renewed.
func (f *Fetcher) allow(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.documents[address].body != nil {
		return true
	}
	host := f.hosts[u.Host]
	if host == nil {
		if len(f.hosts) == maxHosts {
			clear(f.hosts) // the endpoint's own limit still holds
		}
		host = rate.NewLimiter(1, 10)
		f.hosts[u.Host] = host
	}
	return host.Allow() && f.limiter.Allow()
}

func (f *Fetcher) lookup(address string, now time.Time, limit time.Duration) (fetched, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	known, ok := f.documents[address]
	if !ok {
		known, ok = f.failures[address]
	}
	if !ok || now.Before(known.at.Add(-freshFor)) {
		return known, false // a clock that was put back must not keep a document for ever
	}
	return known, now.Before(known.until) && (known.failed || now.Sub(known.at) < limit)
}

// keep stores a result and returns what to use. A failure takes no document's
// place, and of too many documents the oldest goes.
func (f *Fetcher) keep(address string, body []byte, err error, now time.Time) fetched {
	f.mu.Lock()
	defer f.mu.Unlock()
	previous, known := f.documents[address]
	if err == nil {
		if !known && len(f.documents) >= maxDocuments {
			delete(f.documents, oldest(f.documents))
		}
		delete(f.failures, address)
		f.documents[address] = fetched{at: now, until: now.Add(freshFor), body: body}
		return f.documents[address]
	}
	result := fetched{at: now, until: now.Add(failedFor), err: err, failed: true}
	if known && now.Sub(previous.at) < staleFor {
		result.at, result.body, result.err = previous.at, previous.body, nil
		f.documents[address] = result
		return result
	}
	if len(f.failures) >= maxFailures {
		delete(f.failures, oldest(f.failures))
	}
	delete(f.documents, address)
	f.failures[address] = result
	return result
}

// oldest returns the address whose entry is the oldest.
func oldest(entries map[string]fetched) string {
	found := ""
	for address, entry := range entries {
		if found == "" || entry.at.Before(entries[found].at) {
			found = address
		}
	}
	return found
}

func (f *Fetcher) load(ctx context.Context, address string) ([]byte, error) {
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
