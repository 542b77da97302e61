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

// replication tells which primaries have replicas.
type replication int

const (
	replicatedNowhere replication = iota
	// replicatedPartly is a Cluster after the loss of a server.
	replicatedPartly
	replicatedEverywhere
)

func replicationOf(looks []*look) replication {
	primaries, replicated := 0, 0
	for _, one := range looks {
		if !one.primary {
			continue
		}
		primaries++
		if one.replicas > 0 {
			replicated++
		}
	}
	switch replicated {
	case 0:
		return replicatedNowhere
	case primaries:
		return replicatedEverywhere
	}
	return replicatedPartly
}

// runReplicated runs a script and waits until a replica has what it wrote, if
// there is one. It takes a connection for itself: WAIT holds up everything else
// on its own.
func (r *Redis) runReplicated(ctx context.Context, s *script, keys, args []string) (rueidis.RedisMessage, error) {
	client, err := r.connected()
	if err != nil {
		return rueidis.RedisMessage{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, r.options.StepTimeout)
	defer cancel()
	confirm := r.confirmation(client)
	var message rueidis.RedisMessage
	err = client.Dedicated(func(connection rueidis.DedicatedClient) error {
		results := connection.DoMulti(ctx, s.bySHA(client, call{keys, args}), confirm.command())
		if isNoScript(results[0].Error()) {
			results = connection.DoMulti(ctx, s.byText(client, call{keys, args}), confirm.command())
		}
		var err error
		if message, err = results[0].ToMessage(); err != nil {
			return err
		}
		return unconfirmed(confirm.read(ctx, connection, results[1]))
	})
	if errors.Is(err, errNotReplicated) {
		return message, fmt.Errorf("%w: %s: %w", ErrUnavailable, s.name, err)
	}
	return message, stepError(s.name, err)
}

// confirmation has a replica confirm what was written on a connection.
type confirmation struct {
	client   rueidis.Client
	patience time.Duration
	// asks is set where this primary may be one without replicas: then it is
	// asked for them first.
	asks bool
}

func (r *Redis) confirmation(client rueidis.Client) confirmation {
	return confirmation{
		client: client,
		// The answer to a wait that fails must come before the step ends.
		patience: r.options.StepTimeout * 4 / 5,
		asks:     r.state.Load().replicas == replicatedPartly,
	}
}

func (c *confirmation) command() rueidis.Completed {
	if c.asks {
		return c.client.B().Info().Section("replication").Build()
	}
	return wait(c.client, c.patience)
}

func (c *confirmation) read(
	ctx context.Context, connection rueidis.DedicatedClient, result rueidis.RedisResult,
) error {
	if c.asks {
		text, err := result.ToString()
		if err != nil || parseInfo(text).replicas == 0 {
			return err
		}
		result = connection.Do(ctx, wait(c.client, c.patience))
	}
	confirmed, err := result.AsInt64()
	if err == nil && confirmed < confirmedReplicas {
		err = errNotReplicated
	}
	return err
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
