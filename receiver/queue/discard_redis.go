package queue

import (
	"context"
	_ "embed"
	"errors"
	"strconv"
	"time"
)

// discardBatch bounds one run of the script, which nothing else can overtake.
const discardBatch = 100

//go:embed scripts/discard.lua
var discardLua string

var discardScript = newScript("discard", allowOOM, discardLua)

// Discard implements [Discarder].
func (r *Redis) Discard(ctx context.Context, endpointUID, id string, targets []string) (int, error) {
	found, err := r.peek(ctx, endpointUID, []string{id})
	if err != nil {
		return 0, err
	}
	if len(found) == 0 {
		return 0, ErrNotFound
	}
	if targets, err = chosen(id, found[0].targets, targets); err != nil {
		return 0, err
	}
	return r.discard(ctx, endpointUID, id, targets)
}

// discard gives up the dead letters of an event.
//
//	KEYS  dead letters of each target
//	ARGV  now, beginning of the endpoint's keys, id, empty, targets
//	returns at how many targets it was dead, -1 when it is not kept
func (r *Redis) discard(ctx context.Context, endpointUID, id string, targets []string) (int, error) {
	endpoint := keysOf(endpointUID)
	args := append([]string{r.now(), string(endpoint), id, ""}, targets...)
	keys := make([]string, len(targets))
	for i, target := range targets {
		keys[i] = endpoint.targetDead(target)
	}
	message, err := r.run(ctx, discardScript, keys, args)
	if err != nil {
		return 0, err
	}
	count, err := message.AsInt64()
	if err != nil {
		return 0, errors.Join(errReply, err)
	}
	if count < 0 {
		return 0, ErrNotFound
	}
	return int(count), nil
}

// DiscardDead implements [Discarder].
func (r *Redis) DiscardDead(ctx context.Context, endpointUID string, filter Filter) (int, error) {
	return r.eachDead(ctx, endpointUID, filter, func(request replayRequest) (int, error) {
		return r.discard(ctx, endpointUID, request.id, request.targets)
	})
}

// ExpireDead implements [Worker].
//
//	KEYS  dead letters of the target
//	ARGV  now, beginning of the endpoint's keys, empty, age ms, target, how many at most
//	returns how many it gave up
func (r *Redis) ExpireDead(ctx context.Context, queue ID, age time.Duration) (count int, err error) {
	endpoint := keysOf(queue.EndpointUID)
	for {
		message, err := r.run(ctx, discardScript, []string{endpoint.targetDead(queue.Target)}, []string{
			r.now(), string(endpoint), "", durationMillis(age), queue.Target, strconv.Itoa(discardBatch),
		})
		if err != nil {
			return count, err
		}
		some, err := message.AsInt64()
		if err != nil {
			return count, errors.Join(errReply, err)
		}
		count += int(some)
		if some < discardBatch {
			return count, nil
		}
	}
}
