package queue

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
)

// historyShare is the part of the store's memory that the bodies of delivered
// events may take; the rest is for events that are to be delivered.
const historyShare = 0.2

// unboundedHistory is what they may take where the store names no maximum.
const unboundedHistory = 1 << 30

// measureOnly is a budget that nothing exceeds.
const measureOnly = 1 << 50

// bodiesBatch bounds one run of the script, which nothing else can overtake.
const bodiesBatch = 500

// bodiesEvery is how many looks at the store are between two looks at the bodies.
const bodiesEvery = 10

// TrimBodies implements [Keeper].
//
//	KEYS  history
//	ARGV  beginning of the endpoint's keys, rank to begin at from the newest, how
//	      many to look at, bytes of the bodies so far, budget
//	returns how many it looked at, bytes of the bodies so far, what is left of the budget
func (r *Redis) TrimBodies(ctx context.Context, endpointUID string, budget int64) (kept int64, err error) {
	endpoint := keysOf(endpointUID)
	for first := int64(0); ; first += bodiesBatch {
		message, err := r.run(ctx, bodiesScript, []string{endpoint.history()}, []string{
			string(endpoint), strconv.FormatInt(first, 10), strconv.Itoa(bodiesBatch),
			strconv.FormatInt(kept, 10), strconv.FormatInt(budget, 10),
		})
		if err != nil {
			return kept, err
		}
		reply, err := message.AsIntSlice()
		if err != nil || len(reply) != 3 {
			return kept, errors.Join(errReply, err)
		}
		kept, budget = reply[1], reply[2]
		if reply[0] < bodiesBatch {
			return kept, nil
		}
	}
}

// trimBodies keeps the bodies of all endpoints together within their share.
// Endpoints that have the most give up first, so that nobody's large bodies are
// kept at the expense of others' small ones.
func (r *Redis) trimBodies(ctx context.Context) error {
	state := r.state.Load()
	if state.usedBytes <= state.historyBytes {
		return nil // it cannot be history
	}
	endpoints, err := r.Endpoints(ctx)
	if err == nil {
		endpoints, err = r.withHistory(ctx, endpoints)
	}
	if err != nil {
		return err
	}
	sizes := make([]int64, len(endpoints))
	for i, uid := range endpoints {
		if sizes[i], err = r.TrimBodies(ctx, uid, measureOnly); err != nil {
			return err
		}
	}
	level := fairLevel(sizes, state.historyBytes)
	for i, uid := range endpoints {
		if sizes[i] <= level {
			continue
		}
		if _, err := r.TrimBodies(ctx, uid, level); err != nil {
			return err
		}
	}
	return nil
}

// fairLevel is the most that one may have so that all together are within the budget.
func fairLevel(sizes []int64, budget int64) int64 {
	sorted := slices.Sorted(slices.Values(sizes))
	for i, size := range sorted {
		others := int64(len(sorted) - i)
		if size*others > budget {
			return budget / others
		}
		budget -= size
	}
	return math.MaxInt64
}

// errBodyGone says why an event that is listed cannot be replayed.
func errBodyGone(id string) error {
	return fmt.Errorf("%w: the body of event %s is no longer kept", ErrNotFound, id)
}

// TrimBodies implements [Keeper].
func (m *Memory) TrimBodies(_ context.Context, endpointUID string, budget int64) (kept int64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if endpoint := m.endpoints[endpointUID]; endpoint != nil {
		kept = m.trimBodies(endpoint, budget)
	}
	return kept, nil
}

func (m *Memory) trimBodies(endpoint *memoryEndpoint, budget int64) (kept int64) {
	for _, record := range slices.Backward(endpoint.history) {
		body := int64(len(record.event.Body))
		if record.bodyGone || kept+body <= budget {
			kept += body
			continue
		}
		budget = kept
		m.used -= record.event.Size()
		shell := *record.event // others may read the event
		shell.Body = nil
		record.event, record.bodyGone, record.bodyBytes = &shell, true, body
		m.used += record.event.Size()
	}
	return kept
}
