package queue

import (
	"context"
	"errors"
	"strconv"
	"time"
)

// hastenBatch bounds one run of the script.
const hastenBatch = 4000

// Hasten implements [Worker].
//
//	KEYS  queue
//	ARGV  now, limit ms, lease ms or 0 to leave leased events alone, how many at most,
//	      beginning of the endpoint's keys, target
//	returns how many events became due earlier
func (r *Redis) Hasten(ctx context.Context, queue ID, limit, lease time.Duration) error {
	endpoint := keysOf(queue.EndpointUID)
	for {
		message, err := r.run(ctx, hastenScript, []string{endpoint.queue(queue.Target)}, []string{
			r.now(), durationMillis(limit), durationMillis(lease), strconv.Itoa(hastenBatch),
			string(endpoint), queue.Target,
		})
		if err != nil {
			return err
		}
		moved, err := message.AsInt64()
		if err != nil {
			return errors.Join(errReply, err)
		}
		if moved < hastenBatch {
			return nil
		}
	}
}
