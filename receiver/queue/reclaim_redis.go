package queue

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
)

// reclaimBatch bounds one run of the script, which nothing else can overtake.
const reclaimBatch = 1000

//go:embed scripts/reclaim.lua
var reclaimLua string

var reclaimScript = newScript("reclaim", allowOOM, reclaimLua)

var errNotReclaimed = errors.New("the leases of the process before this one are not ended yet")

// takeOver ends, once, every lease in a store that this process has to itself:
// whoever held them is gone. Until then nothing is claimed, or it could end
// leases of this process.
func (r *Redis) takeOver(ctx context.Context) error {
	if r.inherited.Load() {
		return nil
	}
	endpoints, err := r.Endpoints(ctx)
	if err != nil {
		return err
	}
	for _, uid := range endpoints {
		targets, err := r.Targets(ctx, uid)
		if err != nil {
			return err
		}
		for _, target := range targets {
			if err := r.reclaim(ctx, ID{EndpointUID: uid, Target: target}); err != nil {
				return err
			}
		}
	}
	r.inherited.Store(true)
	return nil
}

// reclaim makes every leased event of a queue due. Fences grow, so that a
// holder who is still there after all cannot settle it.
//
//	KEYS  queue
//	ARGV  now, beginning of the endpoint's keys, target, rank to begin at, how many to look at
//	returns how many it looked at; fewer than asked for means that this was the end
func (r *Redis) reclaim(ctx context.Context, queue ID) error {
	endpoint := keysOf(queue.EndpointUID)
	for first := int64(0); ; first += reclaimBatch {
		message, err := r.run(ctx, reclaimScript, []string{endpoint.queue(queue.Target)}, []string{
			r.now(), string(endpoint), queue.Target, strconv.FormatInt(first, 10), strconv.Itoa(reclaimBatch),
		})
		if err != nil {
			return err
		}
		seen, err := message.AsInt64()
		if err != nil {
			return errors.Join(errReply, err)
		}
		if seen < reclaimBatch {
			return nil
		}
	}
}

// mine says whether events may be claimed: in a store that others use too, always.
func (r *Redis) mine() error {
	if r.options.Exclusive && !r.inherited.Load() {
		return fmt.Errorf("%w: %w", ErrUnavailable, errNotReclaimed)
	}
	return nil
}
