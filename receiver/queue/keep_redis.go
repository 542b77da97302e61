package queue

import (
	"context"
	"errors"
)

// shedBelow is the part of the watermark above which history is given up, so
// that events for looking at never keep out events for delivering.
const shedBelow = 0.9

// Purge implements [Keeper].
//
//	KEYS  pending index, dead index, history, set of targets, then queue and dead
//	      letters of each target
//	ARGV  beginning of record keys
//	returns how many events it removed; 0 means all is gone, the keys too
func (r *Redis) Purge(ctx context.Context, endpointUID string) error {
	targets, err := r.Targets(ctx, endpointUID)
	if err != nil {
		return err
	}
	endpoint := keysOf(endpointUID)
	keys := []string{endpoint.pending(), endpoint.dead(), endpoint.history(), endpoint.targets()}
	for _, target := range targets {
		keys = append(keys, endpoint.queue(target), endpoint.targetDead(target))
		r.registered.Delete(ID{EndpointUID: endpointUID, Target: target})
	}
	for removed := int64(1); removed > 0; {
		message, err := r.run(ctx, purgeScript, keys, []string{endpoint.records()})
		if err != nil {
			return err
		}
		if removed, err = message.AsInt64(); err != nil {
			return errors.Join(errReply, err)
		}
	}
	return r.unregister(ctx, endpointUID)
}

// unregister comes last: until then a purge that was cut short is found again.
func (r *Redis) unregister(ctx context.Context, endpointUID string) error {
	client, err := r.connected()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, r.options.StepTimeout)
	defer cancel()
	remove := client.B().Srem().Key(keyEndpoints).Member(endpointUID).Build()
	return stepError("unregister", client.Do(ctx, remove).Error())
}

// shedHistory gives up the older half of every history, up to 100 events each;
// the monitor comes back as long as memory is short.
//
//	KEYS  history
//	ARGV  now, beginning of record keys
//	returns how many events it retired
func (r *Redis) shedHistory(ctx context.Context) {
	endpoints, err := r.Endpoints(ctx)
	if err != nil {
		return // the next look tries again
	}
	for _, uid := range endpoints {
		endpoint := keysOf(uid)
		args := []string{r.now(), endpoint.records()}
		if _, err := r.run(ctx, trimScript, []string{endpoint.history()}, args); err != nil {
			return
		}
	}
}
