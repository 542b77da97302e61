package queue

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"
)

// Sizes implements [Sizer].
func (m *Memory) Sizes(_ context.Context, endpointUIDs []string) ([]Usage, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	usages := make([]Usage, len(endpointUIDs))
	for i, uid := range endpointUIDs {
		if endpoint := m.endpoints[uid]; endpoint != nil {
			usages[i] = endpoint.usage(m.clock())
		}
	}
	return usages, nil
}

// usage counts marks of events that are gone; those of others come with the events.
func (e *memoryEndpoint) usage(now time.Time) (usage Usage) {
	for _, record := range e.records {
		size := record.event.Size()
		if record.status() == StatusDelivered {
			usage.History += size
		} else {
			usage.Kept += size
		}
	}
	for name := range e.marks {
		if e.records[name] == nil {
			usage.Marks += markBytes
		}
	}
	if e.forgotten.After(now) {
		usage.Forgotten = e.forgotten
	}
	return usage
}

// GiveWay implements [Sizer]. Excerpts are not counted here, and give way with
// their events.
func (m *Memory) GiveWay(_ context.Context, endpointUIDs []string, want, must int64) (freed int64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.giveWay(endpointUIDs, want, must), nil
}

func (m *Memory) giveWay(endpointUIDs []string, want, must int64) int64 {
	var endpoints []*memoryEndpoint
	for _, uid := range endpointUIDs {
		if endpoint := m.endpoints[uid]; endpoint != nil {
			endpoints = append(endpoints, endpoint)
		}
	}
	before := m.used
	largest := func(size func(*memoryEndpoint) int) *memoryEndpoint {
		if len(endpoints) == 0 {
			return nil
		}
		most := slices.MaxFunc(endpoints, func(a, b *memoryEndpoint) int { return cmp.Compare(size(a), size(b)) })
		if size(most) == 0 {
			return nil
		}
		return most
	}
	for before-m.used < want {
		e := largest(func(e *memoryEndpoint) int { return len(e.history) })
		if e == nil {
			break
		}
		m.drop(e, e.history[0])
		e.history = e.history[1:]
	}
	for before-m.used < must {
		e := largest(func(e *memoryEndpoint) int { return len(e.marks) })
		if e == nil || !m.forgetOldest(e) {
			break
		}
	}
	return before - m.used
}

// forgetOldest drops the oldest mark of an endpoint. That of an event that is
// kept stays with it.
func (m *Memory) forgetOldest(e *memoryEndpoint) bool {
	stored := func(name string) bool { return e.records[name] != nil }
	names := slices.DeleteFunc(slices.Collect(maps.Keys(e.marks)), stored)
	if len(names) == 0 {
		return false
	}
	oldest := slices.MinFunc(names, func(a, b string) int { return e.marks[a].until.Compare(e.marks[b].until) })
	if until := e.marks[oldest].until; until.After(e.forgotten) {
		e.forgotten = until
	}
	delete(e.marks, oldest)
	m.used -= markBytes
	return true
}
