package queue

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/redis/rueidis"
)

// tidyBatch is how many endpoints share a round trip of housekeeping.
const tidyBatch = 256

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
	for some := range slices.Chunk(endpoints, tidyBatch) {
		for len(some) > 0 {
			if some, err = r.forgetSome(ctx, some); err != nil {
				return err
			}
		}
	}
	return nil
}

// forgetSome asks for several endpoints together, and returns those that have
// more marks to drop.
func (r *Redis) forgetSome(ctx context.Context, endpoints []string) (more []string, err error) {
	calls := make([]call, len(endpoints))
	for i, uid := range endpoints {
		endpoint := keysOf(uid)
		calls[i] = call{
			keys: []string{endpoint.seen()},
			args: []string{r.now(), string(endpoint), strconv.Itoa(forgetBatch)},
		}
	}
	replies, errs := r.runAll(ctx, forgetScript, calls)
	for i, reply := range replies {
		if errs[i] != nil {
			continue // the next round asks again; a part that is away holds up no other
		}
		dropped, err := reply.AsInt64()
		if err != nil {
			return nil, errors.Join(errReply, err)
		}
		if dropped == forgetBatch {
			more = append(more, endpoints[i])
		}
	}
	return more, nil
}

// withHistory returns the endpoints that have delivered events, in few round trips.
func (r *Redis) withHistory(ctx context.Context, endpoints []string) ([]string, error) {
	client, err := r.connected()
	if err != nil {
		return nil, err
	}
	var found []string
	for some := range slices.Chunk(endpoints, tidyBatch) {
		commands := make(rueidis.Commands, len(some))
		for i, uid := range some {
			commands[i] = client.B().Zcard().Key(keysOf(uid).history()).Build()
		}
		asking, cancel := context.WithTimeout(ctx, r.options.StepTimeout)
		for i, result := range client.DoMulti(asking, commands...) {
			if kept, err := result.AsInt64(); err == nil && kept > 0 {
				found = append(found, some[i])
			}
		}
		cancel()
	}
	return found, nil
}
