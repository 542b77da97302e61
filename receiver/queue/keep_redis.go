package queue

import (
	"context"
	"errors"
	"strconv"
)

// Purge implements [Keeper].
//
//	KEYS  set of targets, then queue and dead letters of each target
//	ARGV  beginning of the endpoint's keys
//	returns how many events it removed; 0 means all is gone, the keys too
func (r *Redis) Purge(ctx context.Context, endpointUID string) error {
	targets, err := r.Targets(ctx, endpointUID)
	if err != nil {
		return err
	}
	endpoint := keysOf(endpointUID)
	keys := []string{endpoint.targets()}
	for _, target := range targets {
		keys = append(keys, endpoint.queue(target), endpoint.targetDead(target))
		r.registered.Delete(ID{EndpointUID: endpointUID, Target: target})
	}
	for removed := int64(1); removed > 0; {
		message, err := r.run(ctx, purgeScript, keys, []string{string(endpoint)})
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

// forgetBatch bounds one run of the script, which nothing else can overtake.
const forgetBatch = 1000

// forgetMarks drops marks whose window is over. Admissions do too, so that this
// is for endpoints that get none.
//
//	KEYS  marks
//	ARGV  now, beginning of the endpoint's keys, how many to drop at most
//	returns how many it dropped
func (r *Redis) forgetMarks(ctx context.Context) error {
	endpoints, err := r.Endpoints(ctx)
	if err != nil {
		return err
	}
	for _, uid := range endpoints {
		endpoint := keysOf(uid)
		args := []string{r.now(), string(endpoint), strconv.Itoa(forgetBatch)}
		for dropped := int64(forgetBatch); dropped == forgetBatch; {
			message, err := r.run(ctx, forgetScript, []string{endpoint.seen()}, args)
			if err != nil {
				return err
			}
			if dropped, err = message.AsInt64(); err != nil {
				return errors.Join(errReply, err)
			}
		}
	}
	return nil
}
