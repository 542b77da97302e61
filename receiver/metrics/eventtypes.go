package metrics

import (
	"strings"
	"sync"

	"github.com/postern-dev/postern/receiver/route"
)

const (
	// maxEventTypes is how many event types of one endpoint get a series of
	// their own beyond those that its targets name: whoever can sign a request
	// can otherwise make as many series as it likes.
	maxEventTypes = 64
	// maxEventTypeLength keeps one series from being a payload.
	maxEventTypeLength = 128
	otherEventType     = "other"
)

type eventTypes struct {
	mu    sync.RWMutex
	byUID map[string]*typesOfEndpoint
}

type typesOfEndpoint struct {
	configured map[string]bool
	mu         sync.RWMutex
	seen       map[string]bool
}

func newEventTypes() *eventTypes { return &eventTypes{byUID: map[string]*typesOfEndpoint{}} }

// replace makes routes the known endpoints; what an endpoint has seen stays.
func (t *eventTypes) replace(routes []*route.Endpoint) {
	t.mu.Lock()
	defer t.mu.Unlock()
	next := make(map[string]*typesOfEndpoint, len(routes))
	for _, endpoint := range routes {
		entry := &typesOfEndpoint{configured: configuredTypes(endpoint), seen: map[string]bool{}}
		if previous := t.byUID[endpoint.UID]; previous != nil {
			previous.mu.RLock()
			for name := range previous.seen {
				entry.seen[name] = true
			}
			previous.mu.RUnlock()
		}
		next[endpoint.UID] = entry
	}
	t.byUID = next
}

func configuredTypes(endpoint *route.Endpoint) map[string]bool {
	names := map[string]bool{}
	for _, target := range endpoint.Targets {
		for _, name := range target.EventTypes {
			if !strings.Contains(name, "*") {
				names[name] = true
			}
		}
	}
	return names
}

func (t *eventTypes) label(uid, eventType string) string {
	t.mu.RLock()
	entry := t.byUID[uid]
	t.mu.RUnlock()
	if entry == nil || len(eventType) > maxEventTypeLength || !isLabelText(eventType) {
		return otherEventType
	}
	return entry.label(eventType)
}

func (e *typesOfEndpoint) label(eventType string) string {
	if e.configured[eventType] {
		return eventType
	}
	e.mu.RLock()
	known, full := e.seen[eventType], len(e.seen) >= maxEventTypes
	e.mu.RUnlock()
	if known {
		return eventType
	}
	if full {
		return otherEventType
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.seen[eventType] && len(e.seen) >= maxEventTypes {
		return otherEventType
	}
	e.seen[eventType] = true
	return eventType
}

// isLabelText refuses what the Prometheus client would panic on or a terminal
// would obey.
func isLabelText(text string) bool {
	for _, r := range text {
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return false
		}
	}
	return true
}
