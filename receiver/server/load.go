package server

import (
	"context"
	"maps"
	"slices"

	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/table"
)

// load builds a table and puts it in force. Delivery learns of it first, so
// that an event of a new endpoint finds its queue.
func (s *Server) load(set route.Set) {
	builder := table.Builder{Fetcher: s.options.Fetcher, NamespaceRate: s.options.NamespaceRate}
	next := builder.Build(set.Routes, s.table.Get())
	all := maps.Clone(set.Problems)
	if all == nil {
		all = map[string]error{}
	}
	maps.Copy(all, next.Problems())
	s.tellProblems(all)

	if store, ok := s.options.Store.(owned); ok {
		store.SetInstallation(context.Background(), set.Installation)
	}
	inForce := next.Routes()
	var unloaded []string
	for uid := range all {
		if next.ByUID(uid) == nil {
			unloaded = append(unloaded, uid)
		}
	}
	if set.Provisional {
		s.options.Engine.SetProvisionalRoutes(inForce, unloaded...)
	} else {
		s.options.Engine.SetRoutes(inForce, unloaded...)
	}
	s.options.Engine.SetTombstones(set.Tombstones)
	s.quota.SetRoutes(inForce)
	s.problems.Store(&all)
	s.divideMemory(next)
	s.table.Set(next)
	s.firstTable.Do(func() { close(s.hasTable) })
	s.options.Metrics.SetRoutes(inForce, len(all))
	known := func(uid string) bool { return next.ByUID(uid) != nil }
	s.keys.keep(known)
	s.options.Fetcher.Keep(known)
	if s.options.Loaded != nil {
		s.options.Loaded(next)
	}
}

// divideMemory leaves to requests and events what the routes do not take.
func (s *Server) divideMemory(next *table.Table) {
	if s.options.Budgets == nil {
		return
	}
	requests, events := s.options.Budgets(next)
	s.requests.SetMemoryBudget(requests)
	s.options.Engine.SetMemoryBudget(events)
}

// tellProblems logs a problem once, not with every set that still has it.
func (s *Server) tellProblems(problems map[string]error) {
	before := s.currentProblems()
	for _, uid := range slices.Sorted(maps.Keys(problems)) {
		err := problems[uid]
		if previous := before[uid]; previous != nil && previous.Error() == err.Error() {
			continue
		}
		s.log.Error("Route was not loaded, its last good one stays in force", "uid", uid, "error", err)
	}
}

func (s *Server) currentProblems() map[string]error {
	if problems := s.problems.Load(); problems != nil {
		return *problems
	}
	return nil
}
