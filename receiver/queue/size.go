package queue

import (
	"context"
	"errors"
	"strconv"
)

// sizeSamples is how many events of each index of an endpoint are measured.
const sizeSamples = 8

// Sizer tells who takes how much of the store.
type Sizer interface {
	// Sizes returns about how many bytes the events of each endpoint take, pending,
	// dead and delivered ones together, in the same order and in few round trips.
	// Deduplication marks of events that are no longer kept are not counted.
	Sizes(ctx context.Context, endpointUIDs []string) ([]int64, error)
}

// Sizes implements [Sizer].
//
//	KEYS  pending index
//	ARGV  beginning of the endpoint's keys, number of events to measure in each
//	returns the estimate in bytes
func (r *Redis) Sizes(ctx context.Context, endpointUIDs []string) ([]int64, error) {
	calls := make([]call, len(endpointUIDs))
	for i, uid := range endpointUIDs {
		endpoint := keysOf(uid)
		calls[i] = call{
			keys: []string{endpoint.pending()},
			args: []string{string(endpoint), strconv.Itoa(sizeSamples)},
		}
	}
	replies, err := r.runAll(ctx, sizeScript, calls)
	if err != nil {
		return nil, err
	}
	sizes := make([]int64, len(replies))
	for i, reply := range replies {
		if sizes[i], err = reply.AsInt64(); err != nil {
			return nil, errors.Join(errReply, err)
		}
	}
	return sizes, nil
}

// Sizes implements [Sizer].
func (m *Memory) Sizes(_ context.Context, endpointUIDs []string) ([]int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	sizes := make([]int64, len(endpointUIDs))
	for i, uid := range endpointUIDs {
		endpoint := m.endpoints[uid]
		if endpoint == nil {
			continue
		}
		for _, record := range endpoint.records {
			sizes[i] += record.event.Size()
		}
	}
	return sizes, nil
}
