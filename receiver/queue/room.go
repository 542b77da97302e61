package queue

import (
	"context"
	"errors"
	"time"
)

const (
	// yieldAbove is the part of the watermark above which excerpts and delivered
	// events give way, so that they never keep out events for delivering.
	yieldAbove = 0.9
	// forgetAbove is the part above which deduplication marks give way too.
	forgetAbove = 0.95
	// roomPause is the least time between two looks for room that found none, and
	// roomRest how often the time that such a look took goes by before the next.
	roomPause = time.Second
	roomRest  = 10
)

// room has one goroutine at a time make room.
type room struct {
	turn chan struct{}
	// barren is when the next look makes sense after one that freed nothing, and
	// thorough is set when that one asked for marks too. The holder of the turn
	// has both.
	barren   time.Time
	thorough bool
}

// pointless says whether there was nothing to find a moment ago.
func (o *room) pointless(state *storeState) bool {
	return time.Now().Before(o.barren) && (o.thorough || state.must <= 0)
}

func (o *room) acquire(ctx context.Context) bool {
	select {
	case o.turn <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (o *room) release() { <-o.turn }

// shortage is how much of its memory one server uses, and how many bytes too many.
type shortage struct {
	memory     float64
	want, must int64
}

// shortageOf is that of the server that has the endpoint. Where that is not known
// all servers count as one.
func (s *storeState) shortageOf(endpointUID string) (address string, short shortage) {
	if len(s.slots) > 0 {
		address = s.slotsWith(endpointUID).address
		if short, known := s.shortages[address]; known {
			return address, short
		}
	}
	return "", shortage{memory: s.memory, want: s.want, must: s.must}
}

// usedFor is the used part of what the endpoint's events need.
func (s *storeState) usedFor(endpointUID string) float64 {
	_, short := s.shortageOf(endpointUID)
	return max(short.memory, s.volume)
}

// giveWayWhereShort has the endpoints of each server give way to what that server
// is short of.
func (r *Redis) giveWayWhereShort(ctx context.Context, state *storeState, endpoints []string) (freed int64, err error) {
	crowded := map[string][]string{}
	for _, uid := range endpoints {
		if address, short := state.shortageOf(uid); short.want > 0 {
			crowded[address] = append(crowded[address], uid)
		}
	}
	for _, uids := range crowded {
		_, short := state.shortageOf(uids[0])
		some, failure := r.GiveWay(ctx, uids, short.want, short.must)
		freed, err = freed+some, errors.Join(err, failure)
	}
	return freed, err
}

// makeRoom has things give way while memory is short. The caller has the turn.
func (r *Redis) makeRoom(ctx context.Context) {
	began := time.Now()
	if state := r.state.Load(); state.want <= 0 || r.room.pointless(state) {
		return
	}
	freed, thorough := int64(0), false
	for r.state.Load().want > 0 && ctx.Err() == nil {
		endpoints, err := r.Endpoints(ctx)
		if err != nil {
			return // the next look tries again
		}
		state := r.state.Load()
		some, err := r.giveWayWhereShort(ctx, state, endpoints)
		freed, thorough = freed+some, state.must > 0
		if err != nil || some == 0 || r.Check(ctx) != nil {
			break
		}
	}
	if freed == 0 {
		r.room.barren, r.room.thorough = time.Now().Add(max(roomPause, roomRest*time.Since(began))), thorough
	}
}

// seekRoom makes room for an event of the endpoint that the store refused, and
// says whether it is worth asking again.
func (r *Redis) seekRoom(ctx context.Context, endpointUID string) bool {
	ctx, cancel := context.WithTimeout(ctx, r.options.StepTimeout)
	defer cancel()
	if !r.room.acquire(ctx) {
		return false
	}
	defer r.room.release()
	state := r.state.Load()
	_, short := state.shortageOf(endpointUID)
	full := state.usedFor(endpointUID) >= r.options.Watermark
	if full && (short.memory < r.options.Watermark || r.room.pointless(state)) {
		return false // it is the volume, or nothing gives way
	}
	if r.Check(ctx) != nil {
		return false
	}
	r.makeRoom(ctx)
	return r.state.Load().usedFor(endpointUID) < r.options.Watermark
}

// DroppedMarks is how many deduplication marks gave way to this process so far.
func (r *Redis) DroppedMarks() int64 { return r.dropped.Load() }
