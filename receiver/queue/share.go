package queue

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

// Bounds of one call of the store that several steps share.
const (
	// sharedSteps is how many steps share a call at most; everything that is in
	// one call waits for all of it.
	sharedSteps = 256
	// sharedBytes is about how many bytes share a call; one step always goes.
	sharedBytes = 1 << 20
	// sharedAside is how many calls, of a step each, may be under way beside the
	// shared one, for endpoints that have no other step.
	sharedAside = 4
	// callNames is how many names there are for calls.
	callNames = 1 << 32
)

// sharer lets steps that are asked for at the same time share calls of the
// store. The first goes at once; those that come while a call is under way go
// together in the next. An endpoint that has no step under way does not wait for
// those of others, however many they are: its step goes aside, at once. A step
// that is given up by its caller has an unknown outcome and does not disturb
// those that it shares a call with.
type sharer[T any] struct {
	// call does the steps and sets the error of each.
	call func(steps []*step[T])

	mu    sync.Mutex
	lanes map[string]*sharedLane[T]
}

// step is one piece of work on its way to the store and back.
type step[T any] struct {
	work     T
	endpoint string
	bytes    int
	err      error

	done chan struct{}

	// call names the call that the step is part of, at random; 0 before there is
	// one. given is set when its caller gives it up. The sharer's mutex guards both.
	call  int64
	given bool
}

// sharedLane holds the steps that wait for the call that is under way.
type sharedLane[T any] struct {
	waiting []*step[T]
	// present counts the steps of each endpoint, waiting or under way, and aside
	// the calls beside the shared one.
	present map[string]int
	aside   int
	// draining is set while there is a shared call.
	draining bool
}

func newSharer[T any](call func([]*step[T])) *sharer[T] {
	return &sharer[T]{call: call, lanes: map[string]*sharedLane[T]{}}
}

// do has a step of an endpoint done and waits for it. Steps of one lane may
// share a call. The call may change the work while do has not returned. Of a
// step that was given up only the name of its call is returned, 0 if it was
// never sent.
func (s *sharer[T]) do(ctx context.Context, lane, endpoint string, work T, bytes int) (*step[T], error) {
	one := &step[T]{work: work, endpoint: endpoint, bytes: bytes, done: make(chan struct{})}
	s.join(lane, one)
	select {
	case <-one.done:
		return one, one.err
	case <-ctx.Done():
		return &step[T]{call: s.giveUp(one)}, fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
	}
}

func (s *sharer[T]) giveUp(one *step[T]) (call int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one.given = true
	if one.call == 0 {
		// The entry stays in the lane until its turn comes. Its work, which may be
		// large, is never sent, so it is freed now.
		one.work = *new(T)
	}
	return one.call
}

func (s *sharer[T]) join(name string, one *step[T]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	lane := s.lanes[name]
	if lane == nil {
		lane = &sharedLane[T]{present: map[string]int{}}
		s.lanes[name] = lane
	}
	first := lane.present[one.endpoint] == 0
	lane.present[one.endpoint]++
	switch {
	case !lane.draining:
		lane.draining = true
		lane.waiting = append(lane.waiting, one)
		go s.drain(name, lane)
	case first && lane.aside < sharedAside:
		lane.aside++
		one.call = newCall()
		go s.stepAside(name, lane, one)
	default:
		lane.waiting = append(lane.waiting, one)
	}
}

// drain does calls until nothing waits in the lane.
func (s *sharer[T]) drain(name string, lane *sharedLane[T]) {
	for {
		steps := s.next(name, lane)
		if steps == nil {
			return
		}
		s.call(steps)
		s.ended(lane, steps)
	}
}

// stepAside does one step in a call of its own.
func (s *sharer[T]) stepAside(name string, lane *sharedLane[T], one *step[T]) {
	steps := []*step[T]{one}
	s.call(steps)
	s.ended(lane, steps)
	s.mu.Lock()
	defer s.mu.Unlock()
	lane.aside--
	s.forget(name, lane)
}

func (s *sharer[T]) ended(lane *sharedLane[T], steps []*step[T]) {
	s.mu.Lock()
	for _, one := range steps {
		lane.leave(one)
	}
	s.mu.Unlock()
	for _, one := range steps {
		close(one.done)
	}
}

func (l *sharedLane[T]) leave(one *step[T]) {
	l.present[one.endpoint]--
	if l.present[one.endpoint] == 0 {
		delete(l.present, one.endpoint)
	}
}

// next takes the steps of the next call out of the lane; nil ends the drain.
func (s *sharer[T]) next(name string, lane *sharedLane[T]) []*step[T] {
	s.mu.Lock()
	defer s.mu.Unlock()
	var steps []*step[T]
	bytes, taken, call := 0, 0, newCall()
	for _, one := range lane.waiting {
		if len(steps) == sharedSteps || len(steps) > 0 && bytes+one.bytes > sharedBytes {
			break
		}
		taken++
		if one.given {
			lane.leave(one)
			continue
		}
		one.call = call
		steps = append(steps, one)
		bytes += one.bytes
	}
	lane.waiting = lane.waiting[taken:]
	if len(steps) > 0 {
		return steps
	}
	lane.draining = false
	s.forget(name, lane)
	return nil
}

// forget drops a lane that has nothing to do.
func (s *sharer[T]) forget(name string, lane *sharedLane[T]) {
	if !lane.draining && lane.aside == 0 {
		delete(s.lanes, name)
	}
}

func newCall() int64 {
	return 1 + rand.Int64N(callNames) //nolint:gosec // nobody gains by guessing it
}

// grouped puts steps that are alike together, in the order of the first of each.
func grouped[T any](steps []*step[T], alike func(a, b *T) bool) [][]*step[T] {
	var groups [][]*step[T]
next:
	for _, one := range steps {
		for i := range groups {
			if alike(&groups[i][0].work, &one.work) {
				groups[i] = append(groups[i], one)
				continue next
			}
		}
		groups = append(groups, []*step[T]{one})
	}
	return groups
}

// failAll gives all steps the same error.
func failAll[T any](steps []*step[T], err error) {
	for _, one := range steps {
		one.err = err
	}
}

// shareReplies gives each step its part of what a script returned: for each
// group an error, or a reply for each of its steps.
func shareReplies[T any](
	script *script, groups [][]*step[T], message rueidis.RedisMessage, err error,
	read func(*T, *rueidis.RedisMessage) error,
) {
	answers, failure := message.ToArray()
	if err == nil && (failure != nil || len(answers) != len(groups)) {
		err = errors.Join(errReply, failure)
	}
	for i, group := range groups {
		if err != nil {
			failAll(group, err)
			continue
		}
		replies, failure := answers[i].ToArray()
		if failure == nil && len(replies) != len(group) {
			failure = errReply
		}
		if failure != nil {
			failAll(group, stepError(script.name, failure))
			continue
		}
		for j, one := range group {
			one.err = read(&one.work, &replies[j])
		}
	}
}

// bounded is the context of a caller, ended after the step time-out at the latest.
func (r *Redis) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= r.options.StepTimeout {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, r.options.StepTimeout)
}

// lane says which steps may share a call: all of them, or on a Cluster those of
// an endpoint, which has its own slot.
func (r *Redis) lane(endpointUID string) string {
	if client, err := r.connected(); err == nil && client.Mode() == rueidis.ClientModeCluster {
		return endpointUID
	}
	return ""
}
