package table

import (
	"crypto/sha256"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/time/rate"

	"github.com/postern-dev/postern/receiver/expr"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/verify"
)

// ReasonRouteInvalid is the reason of an endpoint whose first route does not compile.
const ReasonRouteInvalid = "route_invalid"

// Endpoint is one route, compiled.
type Endpoint struct {
	Route *route.Endpoint
	// Hash is the route's hash; empty for a route that does not compile.
	Hash string
	// Verifier is nil while Route.Unavailable is set and the keys are missing.
	Verifier verify.Verifier
	// Methods are the request methods that the source uses.
	Methods []string
	// Limiter is nil without a rate limit.
	Limiter *rate.Limiter
	// Namespace is shared with the other endpoints of the namespace.
	Namespace *Namespace

	// document is the digest of the whole route, keys included.
	document [sha256.Size]byte
	// documentBytes is its length.
	documentBytes int
	compiled      bool
	allowed       []netip.Prefix
	targets       []target
	eventType     *expr.String
	dedupKey      *expr.String
}

func (b Builder) compile(r *route.Endpoint, document [sha256.Size]byte) (*Endpoint, error) {
	e := &Endpoint{Route: r, Hash: r.Hash(), document: document, compiled: true}
	var err error
	if e.allowed, err = parsePrefixes(r.AllowedIPRanges); err != nil {
		return nil, err
	}
	e.Limiter = limiter(r.RateLimit)
	if err := e.compileVerifier(b.Fetcher); err != nil {
		return nil, err
	}
	return e, e.compileExpressions()
}

// compileVerifier leaves the verifier out when the route says that it cannot
// serve: its keys may be missing.
func (e *Endpoint) compileVerifier(fetcher *verify.Fetcher) error {
	if e.Route.Unavailable != nil {
		return nil
	}
	verifier, err := verify.Compile(verify.Config{
		Source: e.Route.Source, Keys: e.Route.Keys, URL: e.Route.URL, Fetcher: fetcher.For(e.Route.UID),
		Window: e.window(),
	})
	if err != nil {
		return err
	}
	e.Verifier, e.Methods = verifier, verifier.Methods()
	return nil
}

// window is the deduplication window as the verifier takes it.
func (e *Endpoint) window() time.Duration {
	if seconds := e.Route.Deduplication.WindowSeconds; seconds > 0 {
		return time.Duration(seconds) * time.Second
	}
	return -1
}

// inherit takes over the state of the limiter when only other parts of the
// route changed: an edit must not refill anybody's bucket.
func (e *Endpoint) inherit(previous *Endpoint) {
	if previous == nil || previous.Limiter == nil || e.Limiter == nil {
		return
	}
	if *previous.Route.RateLimit == *e.Route.RateLimit {
		e.Limiter = previous.Limiter
	}
}

// Allows says whether requests of that client are accepted; the address must
// not be an IPv4 address mapped into IPv6.
func (e *Endpoint) Allows(client netip.Addr) bool {
	if len(e.Route.AllowedIPRanges) == 0 {
		return true
	}
	return slices.ContainsFunc(e.allowed, func(prefix netip.Prefix) bool { return prefix.Contains(client) })
}

// Accepts says whether the source uses the request method.
func (e *Endpoint) Accepts(method string) bool { return slices.Contains(e.Methods, method) }
