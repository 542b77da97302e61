package index

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/postern-dev/postern/receiver/route"
)

// maxFailures is how often an endpoint may fail before the index no longer
// waits for it: one endpoint that can never be written must not keep new
// receivers from serving all the others.
const maxFailures = 5

// Table is what was decided about each endpoint since the process started. It
// is safe for concurrent use.
type Table struct {
	mu       sync.Mutex
	decided  map[types.NamespacedName]decision
	failures map[types.NamespacedName]int
	// changed holds at most one token: whoever takes it reads the whole table.
	changed chan event.GenericEvent
}

// decision is an endpoint's route; the zero value means that it has none.
type decision struct {
	uid  string
	hash string
}

// NewTable returns an empty Table.
func NewTable() *Table {
	return &Table{
		decided:  map[types.NamespacedName]decision{},
		failures: map[types.NamespacedName]int{},
		changed:  make(chan event.GenericEvent, 1),
	}
}

// Served records that the endpoint has a route with the hash.
func (t *Table) Served(endpoint types.NamespacedName, uid types.UID, hash string) {
	t.decide(endpoint, decision{uid: string(uid), hash: hash})
}

// NotServed records that the endpoint has no route.
func (t *Table) NotServed(endpoint types.NamespacedName) { t.decide(endpoint, decision{}) }

func (t *Table) decide(endpoint types.NamespacedName, d decision) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.failures, endpoint)
	if before, ok := t.decided[endpoint]; ok && before == d {
		return
	}
	t.decided[endpoint] = d
	t.notify()
}

// Failed records that nothing could be decided this time.
func (t *Table) Failed(endpoint types.NamespacedName) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failures[endpoint]++
	if t.failures[endpoint] == maxFailures {
		t.notify()
	}
}

// Gone forgets an endpoint that no longer exists.
func (t *Table) Gone(endpoint types.NamespacedName) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.failures, endpoint)
	if _, ok := t.decided[endpoint]; !ok {
		return
	}
	delete(t.decided, endpoint)
	t.notify()
}

// Decided says whether the endpoint has been seen through since the start, or
// has failed so often that it is no longer waited for.
func (t *Table) Decided(endpoint types.NamespacedName) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, ok := t.decided[endpoint]
	return ok || t.failures[endpoint] >= maxFailures
}

// Content is what the index Secret says.
type Content struct {
	Count int    `json:"count"`
	Hash  string `json:"hash"`
	// Installation identifies the installation, to which stores belong. It is the
	// UID of the system namespace: it survives an upgrade and a new installation in
	// the same place, and a copy of the installation elsewhere has another.
	Installation string `json:"installation,omitempty"`
}

// Content sums the table up.
func (t *Table) Content() Content {
	t.mu.Lock()
	defer t.mu.Unlock()
	hashes := map[string]string{}
	for _, d := range t.decided {
		if d.uid != "" {
			hashes[d.uid] = d.hash
		}
	}
	return Content{Count: len(hashes), Hash: route.IndexHash(hashes)}
}

func (t *Table) notify() {
	select {
	case t.changed <- event.GenericEvent{}:
	default:
	}
}
