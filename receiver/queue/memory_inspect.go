package queue

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
)

// List implements [Inspector].
func (m *Memory) List(_ context.Context, endpointUID string, filter Filter) (Page, error) {
	after, err := parseCursor(filter.Cursor)
	if err != nil {
		return Page{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	endpoint := m.endpoints[endpointUID]
	if endpoint == nil {
		return Page{}, nil
	}
	var found []Summary
	for _, record := range endpoint.records {
		summary := record.summary()
		if filter.Status == StatusDead {
			summary.ChangedAt = record.diedAt
		}
		if filter.matches(&summary) && after.precedes(&summary) {
			found = append(found, summary)
		}
	}
	slices.SortFunc(found, func(a, b Summary) int {
		return cmp.Or(b.ChangedAt.Compare(a.ChangedAt), cmp.Compare(b.ID, a.ID))
	})
	limit := filter.limit()
	if len(found) <= limit {
		return Page{Events: found}, nil
	}
	return Page{Events: found[:limit], Next: found[limit-1].Cursor()}, nil
}

// Get implements [Inspector].
func (m *Memory) Get(_ context.Context, endpointUID, id string) (*Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	record := m.record(endpointUID, id)
	if record == nil {
		return nil, ErrNotFound
	}
	return &Record{Summary: record.summary(), Event: record.event}, nil
}

// Replay implements [Replayer].
func (m *Memory) Replay(_ context.Context, endpointUID, id string, targets []string) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	record := m.record(endpointUID, id)
	if record == nil {
		return 0, ErrNotFound
	}
	if record.bodyGone {
		return 0, errBodyGone(id)
	}
	chosen, err := record.choose(targets)
	if err != nil {
		return 0, err
	}
	replayed := 0
	for _, target := range chosen {
		if m.replay(endpointUID, target) {
			replayed++
		}
	}
	return replayed, nil
}

// ReplayDead implements [Replayer].
func (m *Memory) ReplayDead(_ context.Context, endpointUID string, filter Filter) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	endpoint := m.endpoints[endpointUID]
	if endpoint == nil {
		return 0, nil
	}
	filter.Status = StatusDead
	replayed := 0
	for _, record := range endpoint.records {
		summary := record.summary()
		summary.ChangedAt = record.diedAt
		if !filter.matches(&summary) || filter.Limit > 0 && replayed >= filter.Limit {
			continue
		}
		due := 0
		for _, target := range record.targets {
			if target.status == StatusDead && filter.picks(target.name) && m.replay(endpointUID, target) {
				due++
			}
		}
		if due > 0 {
			replayed++
		}
	}
	return replayed, nil
}

// Endpoints implements [Keeper].
func (m *Memory) Endpoints(context.Context) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.endpoints)), nil
}

// Targets implements [Keeper].
func (m *Memory) Targets(_ context.Context, endpointUID string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	endpoint := m.endpoints[endpointUID]
	if endpoint == nil {
		return nil, nil
	}
	return slices.Sorted(maps.Keys(endpoint.queues)), nil
}

// Purge implements [Keeper].
func (m *Memory) Purge(_ context.Context, endpointUID string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	endpoint := m.endpoints[endpointUID]
	if endpoint == nil {
		return nil
	}
	for _, record := range endpoint.records {
		m.drop(endpoint, record)
	}
	m.used -= int64(len(endpoint.marks)) * markBytes
	delete(m.endpoints, endpointUID)
	return nil
}

func (m *Memory) record(endpointUID, id string) *memoryRecord {
	endpoint := m.endpoints[endpointUID]
	if endpoint == nil {
		return nil
	}
	return endpoint.records[id]
}

// replay makes one target due now, unless it is just being delivered to.
func (m *Memory) replay(endpointUID string, target *memoryTarget) bool {
	now := m.clock()
	endpoint := m.endpoints[endpointUID]
	queue := endpoint.queue(target.name)
	if target.leased && target.due.After(now) {
		return false
	}
	wasPending := target.status == StatusPending
	if target.record.status() == StatusDelivered {
		endpoint.history = slices.DeleteFunc(endpoint.history, func(r *memoryRecord) bool { return r == target.record })
	}
	delete(queue.dead, target.record.event.ID)
	target.status, target.replayed, target.leased, target.attempts = StatusPending, now, false, 0
	target.fence++
	target.due = now
	if wasPending {
		queue.reschedule(target, now)
	} else {
		queue.add(target)
	}
	target.record.changedAt = target.record.event.ReceivedAt
	return true
}

// choose returns the named targets of the event, or all of them.
func (r *memoryRecord) choose(names []string) ([]*memoryTarget, error) {
	if len(names) == 0 {
		return r.targets, nil
	}
	var chosen []*memoryTarget
	for _, name := range names {
		target := r.target(name)
		if target == nil {
			return nil, fmt.Errorf("%w: event %s was never for target %q", ErrNotFound, r.event.ID, name)
		}
		chosen = append(chosen, target)
	}
	return chosen, nil
}

func (r *memoryRecord) summary() Summary {
	summary := Summary{
		ID:         r.event.ID,
		Source:     r.event.Source,
		Type:       r.event.Type,
		DeliveryID: r.event.DeliveryID,
		ReceivedAt: r.event.ReceivedAt,
		ChangedAt:  r.changedAt,
		Verified:   r.event.Verified,
		Status:     r.status(),
		BodyBytes:  max(r.bodyBytes, int64(len(r.event.Body))),
		BodyGone:   r.bodyGone,
	}
	for _, target := range r.targets {
		summary.Targets = append(summary.Targets, TargetState{
			Target:   target.name,
			Status:   target.status,
			Attempts: target.attempts,
			Replay:   !target.replayed.IsZero(),
			Reason:   target.reason,
			Log:      slices.Clone(target.log),
		})
	}
	return summary
}
