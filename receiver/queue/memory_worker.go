package queue

import (
	"context"
	"slices"
	"time"
)

// Claim implements [Worker].
func (m *Memory) Claim(_ context.Context, queue ID, limit int, lease time.Duration) ([]Delivery, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	endpoint := m.endpoints[queue.EndpointUID]
	if endpoint == nil {
		return nil, nil
	}
	now := m.clock()
	q := endpoint.queue(queue.Target)
	var deliveries []Delivery
	for bytes := int64(0); len(deliveries) < limit; {
		target := q.nextDue()
		if target == nil || target.due.After(now) {
			break
		}
		bytes += target.record.event.Size()
		if bytes > MaxClaimBytes && len(deliveries) > 0 {
			break
		}
		granted := q.lease(target, now.Add(lease))
		granted.Queue = queue
		deliveries = append(deliveries, Delivery{Lease: granted, Event: target.record.event})
	}
	return deliveries, nil
}

// Renew implements [Worker].
func (m *Memory) Renew(_ context.Context, leases []Lease, lease time.Duration) ([]Lease, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	until := m.clock().Add(lease)
	var lost []Lease
	for _, held := range leases {
		endpoint, target := m.held(held)
		if target == nil {
			lost = append(lost, held)
			continue
		}
		endpoint.queue(target.name).reschedule(target, until)
	}
	return lost, nil
}

// Settle implements [Worker].
func (m *Memory) Settle(_ context.Context, lease Lease, settlement Settlement) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	endpoint, target := m.held(lease)
	if target == nil {
		return ErrLeaseLost
	}
	now := m.clock()
	queue := endpoint.queue(target.name)
	target.leased = false
	target.note(settlement)
	switch settlement.Outcome {
	case Release:
		target.fence++
		queue.reschedule(target, now.Add(settlement.After))
	case Retry:
		target.fence++
		target.attempts++
		queue.reschedule(target, now.Add(settlement.After))
	case Dead:
		queue.remove(target)
		queue.dead[lease.EventID] = target
		m.end(endpoint, target, StatusDead, settlement.Attempt, now)
	case Done:
		queue.remove(target)
		target.reason = ""
		m.end(endpoint, target, StatusDelivered, settlement.Attempt, now)
	}
	return nil
}

// Hasten implements [Worker].
func (m *Memory) Hasten(_ context.Context, queue ID, limit, lease time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	endpoint := m.endpoints[queue.EndpointUID]
	if endpoint == nil {
		return nil
	}
	now, q := m.clock(), endpoint.queue(queue.Target)
	for _, target := range slices.Clone(q.pending) {
		if target.due.After(now.Add(limit)) {
			due := now
			if target.leased && lease == 0 {
				continue
			}
			if target.leased {
				due = now.Add(lease)
			}
			q.reschedule(target, due)
		}
	}
	return nil
}

// Depths implements [Worker].
func (m *Memory) Depths(_ context.Context, queues []ID) ([]Depth, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	depths := make([]Depth, len(queues))
	for i, id := range queues {
		endpoint := m.endpoints[id.EndpointUID]
		if endpoint == nil {
			continue
		}
		queue := endpoint.queue(id.Target)
		depths[i] = Depth{Pending: int64(len(queue.pending)), Dead: int64(len(queue.dead))}
		for _, target := range queue.dead {
			if died := target.record.diedAt; depths[i].OldestDead.IsZero() || died.Before(depths[i].OldestDead) {
				depths[i].OldestDead = died
			}
		}
		if next := queue.nextDue(); next != nil {
			depths[i].NextDue = next.due
		}
		for _, target := range queue.pending {
			if target.due.After(depths[i].LastDue) {
				depths[i].LastDue = target.due
			}
			received := target.record.event.ReceivedAt
			if depths[i].Oldest.IsZero() || received.Before(depths[i].Oldest) {
				depths[i].Oldest = received
			}
		}
	}
	return depths, nil
}

// held finds the target that a lease is for, or nil when the lease is lost.
func (m *Memory) held(lease Lease) (*memoryEndpoint, *memoryTarget) {
	endpoint := m.endpoints[lease.Queue.EndpointUID]
	if endpoint == nil {
		return nil, nil
	}
	record := endpoint.records[lease.EventID]
	if record == nil {
		return nil, nil
	}
	target := record.target(lease.Queue.Target)
	if target == nil || !target.leased || target.fence != lease.Fence {
		return nil, nil
	}
	return endpoint, target
}

// end gives a target its final status and, after the last one, moves the event
// to the history.
func (m *Memory) end(e *memoryEndpoint, target *memoryTarget, status Status, attempt *Attempt, now time.Time) {
	target.status = status
	if attempt != nil {
		target.attempts++
	}
	record := target.record
	if status == StatusDead {
		record.diedAt = now
	}
	m.close(e, record, now)
}

// close moves an event to the history once it is neither pending nor dead.
func (m *Memory) close(e *memoryEndpoint, record *memoryRecord, now time.Time) {
	switch record.status() {
	case StatusDead:
		record.changedAt = now
	case StatusDelivered:
		record.changedAt = now
		e.history = append(e.history, record)
		for len(e.history) > record.historyLimit {
			m.drop(e, e.history[0])
			e.history = e.history[1:]
		}
		m.trimBodies(e, int64(float64(m.maxBytes)*historyShare))
	}
}

// drop forgets an event; its deduplication marks live on.
func (m *Memory) drop(endpoint *memoryEndpoint, record *memoryRecord) {
	delete(endpoint.records, record.event.ID)
	m.used -= record.event.Size()
}

func (r *memoryRecord) target(name string) *memoryTarget {
	for _, target := range r.targets {
		if target.name == name {
			return target
		}
	}
	return nil
}

// status is the status of the event as a whole.
func (r *memoryRecord) status() Status {
	status := StatusDelivered
	for _, target := range r.targets {
		switch target.status {
		case StatusPending:
			return StatusPending
		case StatusDead:
			status = StatusDead
		}
	}
	return status
}
