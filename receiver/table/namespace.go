package table

import (
	"golang.org/x/time/rate"

	"github.com/postern-dev/postern/receiver/route"
)

// Namespace is what the endpoints of one namespace share. It outlives tables as
// long as the namespace has endpoints: a change of routes must not refill
// anybody's bucket.
type Namespace struct {
	Name string
	// Limiter is nil without a rate limit.
	Limiter *rate.Limiter
}

// join gives every endpoint of the table the state of its namespace.
func (b Builder) join(t *Table, previous *Table) {
	for _, endpoint := range t.byUID {
		name := endpoint.Route.Namespace
		if t.namespaces[name] == nil {
			t.namespaces[name] = b.namespace(name, previous)
		}
		if endpoint.Namespace == nil { // else it is the previous table's, and in use
			endpoint.Namespace = t.namespaces[name]
		}
	}
}

func (b Builder) namespace(name string, previous *Table) *Namespace {
	if previous != nil && previous.namespaces[name] != nil {
		return previous.namespaces[name]
	}
	return &Namespace{Name: name, Limiter: limiter(b.NamespaceRate)}
}

// limiter is nil without a limit.
func limiter(limit *route.RateLimit) *rate.Limiter {
	if limit == nil {
		return nil
	}
	return rate.NewLimiter(rate.Limit(limit.RequestsPerSecond), limit.Burst)
}
