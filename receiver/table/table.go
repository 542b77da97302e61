package table

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync/atomic"

	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/verify"
)

// Table is an immutable set of compiled endpoints.
type Table struct {
	byPath   map[string][]*Endpoint
	byUID    map[string]*Endpoint
	problems map[string]error
	// namespaces hold what endpoints share.
	namespaces map[string]*Namespace
}

// Builder has what all endpoints of a process share.
type Builder struct {
	// Fetcher gets the public keys that providers publish; nil means that
	// endpoints must pin them.
	Fetcher *verify.Fetcher
	// NamespaceRate bounds the requests of each namespace; nil is no limit. It must
	// be the same for every table of a process.
	NamespaceRate *route.RateLimit
}

// Build is [Builder.Build] without anything shared.
func Build(routes []*route.Endpoint, previous *Table) *Table {
	return Builder{}.Build(routes, previous)
}

// Build compiles routes into a table. previous, which may be nil, is the table
// that unchanged endpoints and last good ones are taken from. Two endpoints on
// one host and path should never come in; the first in order of namespace and
// name gets it then, and the other a problem.
func (b Builder) Build(routes []*route.Endpoint, previous *Table) *Table {
	t := &Table{
		byPath:   make(map[string][]*Endpoint, len(routes)),
		byUID:    make(map[string]*Endpoint, len(routes)),
		problems: map[string]error{},

		namespaces: map[string]*Namespace{},
	}
	sorted := slices.Clone(routes)
	slices.SortStableFunc(sorted, func(a, b *route.Endpoint) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name), cmp.Compare(a.UID, b.UID))
	})
	for _, r := range sorted {
		endpoint, err := b.compileOrKeep(r, previous.ByUID(r.UID))
		if err != nil {
			t.problems[r.UID] = err
		}
		if err := t.add(endpoint); err != nil {
			t.problems[r.UID] = err
		}
	}
	b.join(t, previous)
	return t
}

// compileOrKeep always returns an endpoint to serve: the previous one if it is
// the same or if the new one does not compile, else one that says why it
// cannot serve.
func (b Builder) compileOrKeep(r *route.Endpoint, previous *Endpoint) (*Endpoint, error) {
	if previous != nil && previous.compiled && previous.Route == r {
		return previous, nil // the usual case, and with thousands of endpoints what makes a change cheap
	}
	text, err := r.Marshal()
	if err != nil {
		return unusable(r, previous), err
	}
	document := sha256.Sum256(text)
	if previous != nil && previous.compiled && previous.document == document {
		return previous, nil
	}
	endpoint, err := b.compile(r, document)
	if err != nil {
		return unusable(r, previous), fmt.Errorf("route %s/%s: %w", r.Namespace, r.Name, err)
	}
	endpoint.documentBytes = len(text)
	endpoint.inherit(previous)
	return endpoint, nil
}

func unusable(r *route.Endpoint, previous *Endpoint) *Endpoint {
	if previous != nil && previous.compiled {
		return previous
	}
	broken := *r
	broken.Unavailable = &route.Unavailable{
		Reason:  ReasonRouteInvalid,
		Message: "the route does not compile and there is no earlier one to go on with",
	}
	return &Endpoint{Route: &broken}
}

func (t *Table) add(endpoint *Endpoint) error {
	r := endpoint.Route
	if other := t.byUID[r.UID]; other != nil {
		return fmt.Errorf("route %s/%s: uid %s is taken by %s/%s",
			r.Namespace, r.Name, r.UID, other.Route.Namespace, other.Route.Name)
	}
	t.byUID[r.UID] = endpoint
	if r.Draining {
		return nil // it only delivers what it has
	}
	for _, other := range t.byPath[r.Path] {
		if overlap(r.Hosts, other.Route.Hosts) {
			delete(t.byUID, r.UID)
			return fmt.Errorf("route %s/%s: path %s is taken by %s/%s",
				r.Namespace, r.Name, r.Path, other.Route.Namespace, other.Route.Name)
		}
	}
	t.byPath[r.Path] = append(t.byPath[r.Path], endpoint)
	return nil
}

// overlap says whether two endpoints of one path would get the same requests.
// One with hosts beside one without is no overlap: the more specific wins.
func overlap(a, b []string) bool {
	if len(a) == 0 || len(b) == 0 {
		return len(a) == len(b)
	}
	return slices.ContainsFunc(a, func(host string) bool { return slices.Contains(b, host) })
}

// Lookup finds the endpoint of a request by its exact path and its lower-case
// host name without port.
func (t *Table) Lookup(host, path string) (*Endpoint, bool) {
	if t == nil {
		return nil, false
	}
	var anyHost *Endpoint
	for _, endpoint := range t.byPath[path] {
		if len(endpoint.Route.Hosts) == 0 {
			anyHost = endpoint
		} else if slices.Contains(endpoint.Route.Hosts, host) {
			return endpoint, true
		}
	}
	return anyHost, anyHost != nil
}

// ByUID returns the endpoint with that uid, or nil.
func (t *Table) ByUID(uid string) *Endpoint {
	if t == nil {
		return nil
	}
	return t.byUID[uid]
}

// Len is the number of endpoints.
func (t *Table) Len() int {
	if t == nil {
		return 0
	}
	return len(t.byUID)
}

// endpointBytes is the memory of an endpoint beside its route document. The
// document is there four times: as it came, decoded, compiled and as the copy for
// the next start.
const (
	endpointBytes  = 12 << 10
	documentCopies = 4
)

// Weight is about how much memory the endpoints hold.
func (t *Table) Weight() int64 {
	if t == nil {
		return 0
	}
	bytes := int64(0)
	for _, endpoint := range t.byUID {
		bytes += endpointBytes + documentCopies*int64(endpoint.documentBytes)
	}
	return bytes
}

// Endpoints returns all endpoints, sorted by namespace and name.
func (t *Table) Endpoints() []*Endpoint {
	if t == nil {
		return nil
	}
	return slices.SortedFunc(maps.Values(t.byUID), func(a, b *Endpoint) int {
		return cmp.Or(cmp.Compare(a.Route.Namespace, b.Route.Namespace), cmp.Compare(a.Route.Name, b.Route.Name))
	})
}

// Routes returns the routes that are in force, sorted by namespace and name.
func (t *Table) Routes() []*route.Endpoint {
	endpoints := t.Endpoints()
	routes := make([]*route.Endpoint, 0, len(endpoints))
	for _, endpoint := range endpoints {
		routes = append(routes, endpoint.Route)
	}
	return routes
}

// Problems returns what is wrong with routes that are not in force, by uid.
func (t *Table) Problems() map[string]error {
	if t == nil {
		return nil
	}
	return t.problems
}

// Current holds the table in force; its zero value holds none.
type Current struct{ table atomic.Pointer[Table] }

// Get returns the table in force, nil before the first.
func (c *Current) Get() *Table { return c.table.Load() }

// Set puts a table in force; requests under way go on with theirs.
func (c *Current) Set(t *Table) { c.table.Store(t) }

func parsePrefixes(texts []string) ([]netip.Prefix, error) {
	prefixes := make([]netip.Prefix, 0, len(texts))
	for i, text := range texts {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("allowedIPRanges[%d]: %q is not a CIDR", i, text)
		}
		// Clients are compared unmapped, so that ranges must be too.
		if prefix.Addr().Is4In6() && prefix.Bits() >= 96 {
			prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-96)
		}
		prefixes = append(prefixes, prefix.Masked())
	}
	return prefixes, nil
}
