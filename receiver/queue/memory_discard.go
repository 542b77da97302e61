package queue

import (
	"context"
	"slices"
	"time"
)

// Discard implements [Discarder].
func (m *Memory) Discard(_ context.Context, endpointUID, id string, targets []string) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	record := m.record(endpointUID, id)
	if record == nil {
		return 0, ErrNotFound
	}
	chosen, err := record.choose(targets)
	if err != nil {
		return 0, err
	}
	return m.discard(endpointUID, record, chosen), nil
}

// discard gives an event up where it is dead.
func (m *Memory) discard(endpointUID string, record *memoryRecord, targets []*memoryTarget) (count int) {
	endpoint := m.endpoints[endpointUID]
	for _, target := range targets {
		if target.status == StatusDead {
			delete(endpoint.queue(target.name).dead, record.event.ID)
			target.status = StatusDiscarded
			count++
		}
	}
	if count == 0 || record.status() != StatusDelivered {
		return count
	}
	if slices.ContainsFunc(record.targets, func(t *memoryTarget) bool { return t.status == StatusDelivered }) {
		m.close(endpoint, record, m.clock())
	} else {
		m.drop(endpoint, record)
	}
	return count
}

// DiscardDead implements [Discarder].
func (m *Memory) DiscardDead(_ context.Context, endpointUID string, filter Filter) (count int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	endpoint := m.endpoints[endpointUID]
	if endpoint == nil {
		return 0, nil
	}
	filter.Status = StatusDead
	for _, record := range endpoint.records {
		summary := record.summary()
		summary.ChangedAt = record.diedAt
		if !filter.matches(&summary) || filter.Limit > 0 && count >= filter.Limit {
			continue
		}
		picked := slices.DeleteFunc(slices.Clone(record.targets), func(t *memoryTarget) bool { return !filter.picks(t.name) })
		if m.discard(endpointUID, record, picked) > 0 {
			count++
		}
	}
	return count, nil
}

// ExpireDead implements [Worker].
func (m *Memory) ExpireDead(_ context.Context, queue ID, age time.Duration) (count int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	endpoint := m.endpoints[queue.EndpointUID]
	if endpoint == nil {
		return 0, nil
	}
	before := m.clock().Add(-age)
	for _, target := range endpoint.queue(queue.Target).dead {
		if !target.record.diedAt.After(before) {
			count += m.discard(queue.EndpointUID, target.record, []*memoryTarget{target})
		}
	}
	return count, nil
}
