package ingest

import "sync/atomic"

// budget bounds the bytes that all requests under way hold. It never waits: a
// request that finds no room is refused and its sender tries again.
type budget struct {
	limit int64
	used  atomic.Int64
}

func newBudget(limit int64) *budget { return &budget{limit: limit} }

func (b *budget) acquire(bytes int64) bool {
	if b.used.Add(bytes) > b.limit {
		b.used.Add(-bytes)
		return false
	}
	return true
}

func (b *budget) release(bytes int64) { b.used.Add(-bytes) }
