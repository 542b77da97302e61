package dataplane

import (
	"log/slog"
	"sync/atomic"

	"github.com/postern-dev/postern/receiver/table"
)

const (
	// usualBudget is what requests may hold, and again events, where memory has no
	// limit.
	usualBudget = 128 << 20
	// processBytes is what the process takes without routes, requests and events:
	// clients of store and API server, and calls of the store.
	processBytes = 32 << 20
	// leastPart is the part of the limit that each budget has, however many routes
	// there are.
	leastPart = 16
)

// memory is divided into what routes take and what requests and events may hold.
type memory struct {
	// limit is what Go may use; 0 is no limit.
	limit int64
	// fixed, if set, is what requests may hold, and again events, whatever the limit.
	fixed int64
	log   *slog.Logger
	// told is what was logged last.
	told atomic.Int64
}

// divide leaves a quarter and more of what is free to what no budget counts:
// idle connections, attempts, and garbage.
func (m *memory) divide(routes int64) (requests, events int64) {
	switch {
	case m.fixed > 0:
		return m.fixed, m.fixed
	case m.limit <= 0:
		return usualBudget, usualBudget
	}
	free, least := m.limit-processBytes-routes, m.limit/leastPart
	return max(free*3/8, least), max(free/4, least)
}

// divideFor tells people too, of the first division and of those that differ.
func (m *memory) divideFor(loaded *table.Table) (requests, events int64) {
	routes := loaded.Weight()
	requests, events = m.divide(routes)
	if before := m.told.Load(); before != 0 && requests > before*3/4 && requests < before*5/4 {
		return requests, events
	}
	m.told.Store(requests)
	m.log.Info("Divided the memory", "limitBytes", m.limit, "routesBytes", routes, "requestsBytes", requests,
		"eventsBytes", events)
	if m.limit > 0 && m.limit-processBytes-routes < m.limit/4 {
		m.log.Warn("The memory limit is low for the routes: give the receiver more memory", "limitBytes", m.limit,
			"routesBytes", routes)
	}
	return requests, events
}
