package deliver

import (
	"container/heap"
	"time"
)

const unscheduled = -1

// timers orders lanes by when their queue is to be claimed from. A lane that
// was just served goes behind those that wait, which makes claims fair.
type timers []*lane

func (t timers) Len() int           { return len(t) }
func (t timers) Less(i, j int) bool { return t[i].at.Before(t[j].at) }

func (t timers) Swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].position, t[j].position = i, j
}

// Push implements heap.Interface.
func (t *timers) Push(item any) {
	l := item.(*lane)
	l.position = len(*t)
	*t = append(*t, l)
}

// Pop implements heap.Interface.
func (t *timers) Pop() any {
	last := len(*t) - 1
	l := (*t)[last]
	(*t)[last] = nil
	*t = (*t)[:last]
	l.position = unscheduled
	return l
}

// retime brings the timer of a lane in line with its state.
func (e *Engine) retime(l *lane) {
	at := l.claimAt()
	if e.phase != running && (e.phase != draining || !e.opts.DrainStore) {
		at = time.Time{}
	}
	switch {
	case at.IsZero() && l.position != unscheduled:
		heap.Remove(&e.timers, l.position)
		return
	case at.IsZero():
		return
	case l.position == unscheduled:
		l.at = at
		heap.Push(&e.timers, l)
	case !at.Equal(l.at):
		l.at = at
		heap.Fix(&e.timers, l.position)
	}
	if l.position == 0 {
		signal(e.claimSoon)
	}
}

// noteDue remembers that the store has something for the lane at that time.
func (e *Engine) noteDue(l *lane, at time.Time) {
	if at.IsZero() {
		return
	}
	if l.due.IsZero() || at.Before(l.due) {
		l.due = at
	}
	e.retime(l)
}

// signal leaves a message that work is there; one is enough.
func signal(channel chan struct{}) {
	select {
	case channel <- struct{}{}:
	default:
	}
}
