package queue

import (
	"context"
	"strconv"

	"github.com/redis/rueidis"
)

var outcomeNames = map[Outcome]string{Done: "done", Retry: "retry", Dead: "dead", Release: "release"}

// settleWork is one settlement on its way to the script, and its reply.
type settleWork struct {
	lease      Lease
	settlement Settlement
	// attempt is the line of the attempt, empty where there was none.
	attempt, excerpt string
	settled          int64
}

func (w *settleWork) alike(other *settleWork) bool { return w.lease.Queue == other.lease.Queue }

// Settle implements [Worker].
func (r *Redis) Settle(ctx context.Context, lease Lease, settlement Settlement) error {
	work := settleWork{lease: lease, settlement: settlement}
	if settlement.Attempt != nil {
		attempt := settlement.Attempt.bounded()
		work.attempt, work.excerpt = attempt.line(), attempt.Excerpt
	}
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	uid := lease.Queue.EndpointUID
	done, err := r.settlements.do(ctx, r.lane(uid), uid, work, len(work.attempt)+len(work.excerpt))
	if err != nil {
		return err
	}
	if done.work.settled != 1 {
		return ErrLeaseLost
	}
	return nil
}

// settleAll runs the settlement script.
//
//	KEYS  for each group: queue, dead letters of the target
//	ARGV  now, watermark, number of groups;
//	      for each group: beginning of the endpoint's keys, target, number of leases;
//	      for each lease: id, fence, outcome (done, retry, dead or release), delay
//	      ms, reason or empty, line of the attempt or empty, excerpt or empty
//	returns for each group an error or, for each lease: 1, or 0 when the lease is
//	      lost and nothing was written
func (r *Redis) settleAll(steps []*step[settleWork]) {
	groups := grouped(steps, (*settleWork).alike)
	keys := make([]string, 0, 2*len(groups))
	args := make([]string, 0, 3+3*len(groups)+7*len(steps))
	watermark := strconv.FormatFloat(r.options.Watermark, 'f', -1, 64)
	args = append(args, r.now(), watermark, strconv.Itoa(len(groups)))
	for _, group := range groups {
		queue := group[0].work.lease.Queue
		endpoint := keysOf(queue.EndpointUID)
		keys = append(keys, endpoint.queue(queue.Target), endpoint.targetDead(queue.Target))
		args = append(args, string(endpoint), queue.Target, strconv.Itoa(len(group)))
		for _, one := range group {
			lease, settlement := &one.work.lease, &one.work.settlement
			args = append(args, lease.EventID, strconv.FormatInt(lease.Fence, 10), outcomeNames[settlement.Outcome],
				durationMillis(settlement.After), settlement.Reason, one.work.attempt, one.work.excerpt)
		}
	}
	message, err := r.run(context.Background(), settleScript, keys, args)
	shareReplies(settleScript, groups, message, err, func(work *settleWork, reply *rueidis.RedisMessage) error {
		return number(reply, &work.settled)
	})
}
