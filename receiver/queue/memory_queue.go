package queue

import (
	"container/heap"
	"slices"
	"time"
)

// memoryTarget is where one event stands at one target.
type memoryTarget struct {
	name     string
	record   *memoryRecord
	status   Status
	leased   bool
	fence    int64
	attempts int
	due      time.Time
	replayed time.Time
	reason   string
	log      []Attempt
	// position is the target's place in its queue's heap, -1 outside.
	position int
}

// note keeps the attempt, the latest [AttemptsKept] of them.
func (t *memoryTarget) note(settlement Settlement) {
	if settlement.Reason != "" {
		t.reason = settlement.Reason
	}
	if settlement.Attempt == nil {
		return
	}
	if len(t.log) > 0 {
		t.log[len(t.log)-1].Excerpt = ""
	}
	t.log = append(t.log, settlement.Attempt.bounded())
	if extra := len(t.log) - AttemptsKept; extra > 0 {
		t.log = slices.Delete(t.log, 0, extra)
	}
}

// memoryQueue is one queue: a heap by due time, and the dead letters.
type memoryQueue struct {
	pending dueHeap
	dead    map[string]*memoryTarget
}

func (q *memoryQueue) add(target *memoryTarget) {
	heap.Push(&q.pending, target)
}

func (q *memoryQueue) remove(target *memoryTarget) {
	heap.Remove(&q.pending, target.position)
}

func (q *memoryQueue) reschedule(target *memoryTarget, due time.Time) {
	target.due = due
	heap.Fix(&q.pending, target.position)
}

// lease gives the target to a worker; the caller completes the queue's id.
func (q *memoryQueue) lease(target *memoryTarget, until time.Time) Lease {
	target.fence++
	target.leased = true
	q.reschedule(target, until)
	return Lease{
		Queue:    ID{Target: target.name},
		EventID:  target.record.event.ID,
		Fence:    target.fence,
		Attempts: target.attempts,
		Replayed: target.replayed,
	}
}

// nextDue returns the target that is due first, or nil.
func (q *memoryQueue) nextDue() *memoryTarget {
	if len(q.pending) == 0 {
		return nil
	}
	return q.pending[0]
}

// dueHeap implements heap.Interface, earliest due first.
type dueHeap []*memoryTarget

func (h dueHeap) Len() int { return len(h) }

func (h dueHeap) Less(i, j int) bool { return h[i].due.Before(h[j].due) }

func (h dueHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].position, h[j].position = i, j
}

// Push implements heap.Interface.
func (h *dueHeap) Push(x any) {
	target := x.(*memoryTarget)
	target.position = len(*h)
	*h = append(*h, target)
}

// Pop implements heap.Interface.
func (h *dueHeap) Pop() any {
	last := len(*h) - 1
	target := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	target.position = -1
	return target
}
