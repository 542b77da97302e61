package queue

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"
)

const (
	// sizeSamples is how many events of each index of an endpoint are measured.
	sizeSamples = 8
	// sizeBatch is how many endpoints one question names.
	sizeBatch = 100
)

// Usage is about how much of the store an endpoint takes, in bytes.
type Usage struct {
	// Kept is what stays until it is delivered or discarded: pending and dead events.
	Kept int64
	// Excerpts are starts of answers, History is delivered events, Marks are what
	// deduplication remembers of events that are gone. They give way.
	Excerpts, History, Marks int64
	// Forgotten is the latest end of the windows of marks that gave way; zero when
	// none did, or when that time is over. Events whose windows end by then may be
	// taken for new ones.
	Forgotten time.Time
}

// Total is all of it.
func (u *Usage) Total() int64 { return u.Kept + u.Excerpts + u.History + u.Marks }

// Sizer tells who takes how much of the store, and makes room.
type Sizer interface {
	// Sizes returns what each endpoint takes, in the same order and in few round trips.
	Sizes(ctx context.Context, endpointUIDs []string) ([]Usage, error)
	// GiveWay drops what is not needed to deliver events of these endpoints, until
	// about want bytes are free: first excerpts, then delivered events. Where must
	// bytes are not free then, it drops deduplication marks too: copies of their
	// events are events again. Endpoints that have the most give the most, and
	// the oldest events and marks go first. It returns about how many bytes it freed.
	GiveWay(ctx context.Context, endpointUIDs []string, want, must int64) (freed int64, err error)
}

// yielding is a kind of things that give way.
type yielding string

// The kinds, in the order in which they give way.
const (
	yieldExcerpts yielding = "excerpts"
	yieldHistory  yielding = "history"
	yieldMarks    yielding = "marks"
)

// yieldBatch bounds one run of the script, which nothing else can overtake.
var yieldBatch = map[yielding]int64{yieldExcerpts: 500, yieldHistory: 128, yieldMarks: 1000}

// measured is the usage of an endpoint with the numbers of things in it.
type measured struct {
	Usage
	excerpts, history, marks int64
}

// of returns bytes and number of a kind.
func (m *measured) of(kind yielding) (bytes, count int64) {
	switch kind {
	case yieldExcerpts:
		return m.Excerpts, m.excerpts
	case yieldHistory:
		return m.History, m.history
	default:
		return m.Marks, m.marks
	}
}

// Sizes implements [Sizer].
func (r *Redis) Sizes(ctx context.Context, endpointUIDs []string) ([]Usage, error) {
	all, err := r.measure(ctx, endpointUIDs)
	if err != nil {
		return nil, err
	}
	usages := make([]Usage, len(all))
	for i := range all {
		usages[i] = all[i].Usage
	}
	return usages, nil
}

// measure asks what endpoints take.
//
//	KEYS  pending index
//	ARGV  beginning of the endpoint's keys, number of events to measure in each
//	returns bytes of pending and dead events; bytes and number of excerpts, of
//	      delivered events, and of marks; latest end of the windows of dropped
//	      marks, ms, or 0
func (r *Redis) measure(ctx context.Context, endpointUIDs []string) ([]measured, error) {
	all := make([]measured, 0, len(endpointUIDs))
	for some := range slices.Chunk(endpointUIDs, sizeBatch) {
		calls := make([]call, len(some))
		for i, uid := range some {
			endpoint := keysOf(uid)
			calls[i] = call{
				keys: []string{endpoint.pending()},
				args: []string{string(endpoint), strconv.Itoa(sizeSamples)},
			}
		}
		replies, errs := r.runAll(ctx, sizeScript, calls)
		err := errors.Join(errs...)
		if err != nil {
			return nil, err
		}
		for _, reply := range replies {
			n, err := reply.AsIntSlice()
			if err != nil || len(n) != 8 {
				return nil, errors.Join(errReply, err)
			}
			one := measured{
				Usage:    Usage{Kept: n[0], Excerpts: n[1], History: n[3], Marks: n[5]},
				excerpts: n[2], history: n[4], marks: n[6],
			}
			if n[7] > 0 {
				one.Forgotten = millisTime(n[7])
			}
			all = append(all, one)
		}
	}
	return all, nil
}

// GiveWay implements [Sizer].
func (r *Redis) GiveWay(ctx context.Context, endpointUIDs []string, want, must int64) (freed int64, err error) {
	all, err := r.measure(ctx, endpointUIDs)
	if err != nil {
		return 0, err
	}
	for _, kind := range []yielding{yieldExcerpts, yieldHistory, yieldMarks} {
		goal := want
		if kind == yieldMarks {
			goal = must
		}
		if freed >= goal {
			continue
		}
		for i, count := range shares(all, kind, goal-freed) {
			dropped, err := r.giveWay(ctx, endpointUIDs[i], kind, count)
			bytes, of := all[i].of(kind)
			if of > 0 {
				freed += bytes * dropped / of
			}
			if err != nil {
				return freed, err
			}
		}
	}
	return freed, nil
}

// shares says how many things of a kind each endpoint gives, so that together
// they free that many bytes and those that have the most give the most.
func shares(all []measured, kind yielding, free int64) []int64 {
	sizes, total := make([]int64, len(all)), int64(0)
	for i := range all {
		sizes[i], _ = all[i].of(kind)
		total += sizes[i]
	}
	level := fairLevel(sizes, max(0, total-free))
	counts := make([]int64, len(all))
	for i := range all {
		if bytes, count := all[i].of(kind); bytes > level {
			counts[i] = (count*(bytes-level) + bytes - 1) / bytes
		}
	}
	return counts
}

// giveWay drops things of an endpoint and returns how many there were.
//
//	KEYS  pending index
//	ARGV  now, beginning of the endpoint's keys, kind, how many at most
//	returns how many it dropped
func (r *Redis) giveWay(
	ctx context.Context, endpointUID string, kind yielding, count int64,
) (dropped int64, err error) {
	endpoint := keysOf(endpointUID)
	for dropped < count {
		most := min(count-dropped, yieldBatch[kind])
		message, err := r.run(ctx, giveWayScript, []string{endpoint.pending()},
			[]string{r.now(), string(endpoint), string(kind), strconv.FormatInt(most, 10)})
		if err != nil {
			return dropped, err
		}
		some, err := message.AsInt64()
		if err != nil {
			return dropped, errors.Join(errReply, err)
		}
		dropped += some
		if kind == yieldMarks && some > 0 {
			r.dropped.Add(some)
		}
		if some < most {
			break
		}
	}
	return dropped, nil
}
