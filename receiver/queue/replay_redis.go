package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Replay implements [Replayer].
func (r *Redis) Replay(ctx context.Context, endpointUID, id string, targets []string) (int, error) {
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
	return r.replay(ctx, endpointUID, replayRequest{id: id, received: found[0].event.ReceivedAt, targets: targets})
}

// chosen are the named targets of an event, or all if none is named.
func chosen(id string, all, named []string) ([]string, error) {
	for _, target := range named {
		if !slices.Contains(all, target) {
			return nil, fmt.Errorf("%w: event %s was never for target %q", ErrNotFound, id, target)
		}
	}
	if len(named) == 0 {
		return all, nil
	}
	return named, nil
}

type replayRequest struct {
	id       string
	received time.Time
	targets  []string
	onlyDead bool
}

// replay makes an event due.
//
//	KEYS  queue and dead letters of each target
//	ARGV  beginning of the endpoint's keys, now, id, received ms, 1 for dead targets only else 0, targets
//	returns at how many targets the event is now due, -1 when it is not kept,
//	-2 when its body is gone
func (r *Redis) replay(ctx context.Context, endpointUID string, request replayRequest) (int, error) {
	endpoint := keysOf(endpointUID)
	keys := make([]string, 0, 2*len(request.targets))
	onlyDead := "0"
	if request.onlyDead {
		onlyDead = "1"
	}
	args := []string{string(endpoint), r.now(), request.id, millis(request.received), onlyDead}
	for _, target := range request.targets {
		keys = append(keys, endpoint.queue(target), endpoint.targetDead(target))
		args = append(args, target)
	}
	message, err := r.run(ctx, replayScript, keys, args)
	if err != nil {
		return 0, err
	}
	due, err := message.AsInt64()
	if err != nil {
		return 0, errors.Join(errReply, err)
	}
	switch due {
	case -1:
		return 0, ErrNotFound
	case -2:
		return 0, errBodyGone(request.id)
	}
	return int(due), nil
}

// ReplayDead implements [Replayer].
func (r *Redis) ReplayDead(ctx context.Context, endpointUID string, filter Filter) (int, error) {
	return r.eachDead(ctx, endpointUID, filter, func(request replayRequest) (int, error) {
		return r.replay(ctx, endpointUID, request)
	})
}

// eachDead does something with every dead letter that the filter selects and
// returns for how many events it did.
func (r *Redis) eachDead(
	ctx context.Context, endpointUID string, filter Filter, do func(replayRequest) (int, error),
) (int, error) {
	bound := filter.Limit
	filter.Status, filter.Limit, filter.Cursor = StatusDead, maxPage, ""
	count := 0
	for {
		page, err := r.List(ctx, endpointUID, filter)
		if err != nil {
			return count, err
		}
		for _, summary := range page.Events {
			if bound > 0 && count == bound {
				return count, nil
			}
			request := filter.replayOf(&summary)
			if len(request.targets) == 0 {
				continue
			}
			due, err := do(request)
			if err != nil && !errors.Is(err, ErrNotFound) {
				return count, err
			}
			if due > 0 {
				count++
			}
		}
		if filter.Cursor = page.Next; page.Next == "" {
			return count, nil
		}
	}
}

// replayOf asks for the dead targets of an event, those that the filter selects.
func (f *Filter) replayOf(summary *Summary) replayRequest {
	request := replayRequest{id: summary.ID, received: summary.ReceivedAt, onlyDead: true}
	for _, target := range summary.Targets {
		if f.picks(target.Target) {
			request.targets = append(request.targets, target.Target)
		}
	}
	return request
}
