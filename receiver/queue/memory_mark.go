package queue

import (
	"context"
	"time"
)

// memoryHold is a mark that somebody holds.
type memoryHold struct {
	owner string
	until time.Time
}

// TakeMark implements [Marker].
func (m *Memory) TakeMark(_ context.Context, mark Mark) (Standing, string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.clock()
	endpoint := m.endpoint(mark.EndpointUID)
	m.used -= endpoint.forgetSome(now)
	if first, known := endpoint.first(mark.EventID, mark.ReplayMark, now); known {
		return Known, first, nil
	}
	if m.used+2*markBytes > m.maxBytes {
		return Held, "", ErrFull
	}
	names := mark.names()
	for _, name := range names {
		if endpoint.held[name].until.After(now) {
			return Held, "", nil
		}
	}
	for _, name := range names {
		endpoint.held[name] = memoryHold{owner: mark.Owner, until: now.Add(mark.HoldFor)}
	}
	return Taken, "", nil
}

// KeepMark implements [Marker].
func (m *Memory) KeepMark(_ context.Context, mark Mark) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	endpoint := m.endpoint(mark.EndpointUID)
	m.used += endpoint.remember(mark.EventID, mark.EventID, mark.ReplayMark, mark.RememberFor, m.clock())
	endpoint.release(mark)
	return nil
}

// ReleaseMark implements [Marker].
func (m *Memory) ReleaseMark(_ context.Context, mark Mark) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.endpoint(mark.EndpointUID).release(mark)
	return nil
}

func (e *memoryEndpoint) release(mark Mark) {
	for _, name := range mark.names() {
		if e.held[name].owner == mark.Owner {
			delete(e.held, name)
		}
	}
}

// names are those of the mark among the endpoint's.
func (m *Mark) names() []string {
	if m.ReplayMark == "" {
		return []string{m.EventID}
	}
	return []string{m.EventID, "r:" + m.ReplayMark}
}
