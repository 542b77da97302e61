package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/rueidis"
)

// confirmedReplicas is how many replicas must have an event before it is
// acknowledged, where there are any.
const confirmedReplicas = 1

var errNotReplicated = errors.New("no replica confirmed the event in time")

// runReplicated runs a script and waits until a replica has what it wrote. It
// takes a connection for itself: WAIT holds up everything else on its own.
func (r *Redis) runReplicated(ctx context.Context, s *script, keys, args []string) (rueidis.RedisMessage, error) {
	client, err := r.connected()
	if err != nil {
		return rueidis.RedisMessage{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, r.options.StepTimeout)
	defer cancel()
	var message rueidis.RedisMessage
	err = client.Dedicated(func(connection rueidis.DedicatedClient) error {
		// The answer to a wait that fails must come before the step ends.
		patience := r.options.StepTimeout * 4 / 5
		results := connection.DoMulti(ctx, s.bySHA(client, call{keys, args}), wait(client, patience))
		if isNoScript(results[0].Error()) {
			results = connection.DoMulti(ctx, s.byText(client, call{keys, args}), wait(client, patience))
		}
		var err error
		if message, err = results[0].ToMessage(); err != nil {
			return err
		}
		confirmed, err := results[1].AsInt64()
		if err == nil && confirmed < confirmedReplicas {
			err = errNotReplicated
		}
		return err
	})
	if errors.Is(err, errNotReplicated) {
		return message, fmt.Errorf("%w: %s: %w", ErrUnavailable, s.name, err)
	}
	return message, stepError(s.name, err)
}

func wait(client rueidis.Client, patience time.Duration) rueidis.Completed {
	return client.B().Wait().Numreplicas(confirmedReplicas).Timeout(patience.Milliseconds()).Build()
}

// mayWait tells whether this user may ask for confirmations; an answer that
// says no is better given before the first event than with each.
func mayWait(ctx context.Context, node rueidis.Client) error {
	if err := node.Do(ctx, node.B().Wait().Numreplicas(0).Timeout(1).Build()).Error(); err != nil {
		return fmt.Errorf("the store has replicas, and WAIT must be permitted to have them confirm events: %w", err)
	}
	return nil
}
