package queue

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"github.com/postern-dev/postern/receiver/event"
)

// MaxClaimBytes bounds the events that one claim returns, in bytes; one event is
// returned however large it is.
const MaxClaimBytes = 8 << 20

// newerDelay is how long an event of a newer version waits for a newer process.
const newerDelay = time.Minute

// ReasonCorrupt is the reason of dead letters whose stored bytes were damaged.
const ReasonCorrupt = "corrupt"

// ReasonUnknownVersion is the reason of dead letters that a newer version wrote
// and none came to read.
const ReasonUnknownVersion = "unknown_version"

var errReply = errors.New("the store gave a reply that its script never gives")

// Claim implements [Worker].
//
//	KEYS  queue, latest claim of this process
//	ARGV  now, lease ms, limit, bytes of records, beginning of the endpoint's keys, target,
//	      name of the claim, names of lost claims with commas between
//	returns for each event claimed: id, fence, attempts, how many ms ago it was replayed,
//	      or -1,
//	      and empty; the fence is 0 for one with a state of a newer version, which is
//	      not leased and due again later, and the last is when it was received, ms
func (r *Redis) Claim(ctx context.Context, queue ID, limit int, lease time.Duration) ([]Delivery, error) {
	if err := r.mine(); err != nil {
		return nil, err
	}
	name := newName()
	leases, unreadable, err := r.take(ctx, queue, name, limit, lease)
	if err != nil {
		if !undone(err) {
			r.lost.add(queue, name, lease)
		}
		return nil, err
	}
	if len(leases) == 0 {
		return unreadable, nil
	}
	records, err := r.load(ctx, leases)
	if err != nil {
		r.lost.add(queue, name, lease)
		return nil, err
	}
	deliveries, err := r.decodeAll(ctx, leases, records)
	return append(deliveries, unreadable...), err
}

// take leases what is due. What a newer version wrote is returned apart.
func (r *Redis) take(
	ctx context.Context, queue ID, name string, limit int, lease time.Duration,
) (leases []Lease, unreadable []Delivery, err error) {
	endpoint := keysOf(queue.EndpointUID)
	message, err := r.run(ctx, claimScript,
		[]string{endpoint.queue(queue.Target), endpoint.claim(r.process, queue.Target)},
		[]string{
			r.now(), durationMillis(lease), strconv.Itoa(limit), strconv.Itoa(MaxClaimBytes),
			string(endpoint), queue.Target, name, r.lost.of(queue),
		})
	if err != nil {
		return nil, nil, err
	}
	rows, err := message.ToArray()
	if err != nil {
		return nil, nil, errors.Join(errReply, err)
	}
	for _, row := range rows {
		claimed, received, err := decodeClaim(queue, row, r.here())
		if err != nil {
			return nil, nil, err
		}
		if claimed.Fence == 0 {
			unreadable = append(unreadable, unreadableDelivery(claimed, received))
			continue
		}
		leases = append(leases, claimed)
	}
	return leases, unreadable, nil
}

// unreadableDelivery is an event of which only the time of its receipt is known,
// in ms; without one it came just now.
func unreadableDelivery(lease Lease, received string) Delivery {
	at := scoreTime(received)
	if at.IsZero() {
		at = time.Now()
	}
	return Delivery{
		Lease: lease, Unreadable: true,
		Event: &event.Event{ID: lease.EventID, EndpointUID: lease.Queue.EndpointUID, ReceivedAt: at},
	}
}

// load reads the records of claimed events.
func (r *Redis) load(ctx context.Context, leases []Lease) ([]rueidis.RedisMessage, error) {
	client, err := r.connected()
	if err != nil {
		return nil, err
	}
	keys := make([]string, len(leases))
	for i := range leases {
		keys[i] = keysOf(leases[i].Queue.EndpointUID).record(leases[i].EventID)
	}
	step, cancel := context.WithTimeout(ctx, r.options.StepTimeout)
	defer cancel()
	records, err := client.Do(step, client.B().Mget().Key(keys...).Build()).ToArray()
	return records, stepError("load", err)
}

func (r *Redis) decodeAll(ctx context.Context, leases []Lease, records []rueidis.RedisMessage) ([]Delivery, error) {
	deliveries := make([]Delivery, 0, len(leases))
	for i := range records {
		delivery, err := r.decode(ctx, leases[i], &records[i])
		if delivery.Event != nil {
			deliveries = append(deliveries, delivery)
		}
		// Events that were claimed are returned even so: a lease that could not
		// be ended here ends by itself, and the event is judged again.
		if err != nil && !errors.Is(err, ErrUnavailable) && !errors.Is(err, ErrLeaseLost) {
			return deliveries, err
		}
	}
	return deliveries, nil
}

// decode reads the record of a claimed event, and ends the lease of one that
// cannot be delivered: the event is gone or damaged. One of a newer version is
// unreadable.
func (r *Redis) decode(ctx context.Context, lease Lease, record *rueidis.RedisMessage) (Delivery, error) {
	if record.IsNil() {
		return Delivery{}, nil
	}
	stored, err := record.AsBytes()
	if err != nil {
		return Delivery{}, errors.Join(errReply, err)
	}
	e, err := decodeRecord(lease.Queue.EndpointUID, lease.EventID, stored)
	switch {
	case errors.Is(err, errCorrupt):
		return Delivery{}, r.Settle(ctx, lease, Settlement{Outcome: Dead, Reason: ReasonCorrupt})
	case errors.Is(err, errNewer):
		return r.unreadable(ctx, lease)
	}
	return Delivery{Lease: lease, Event: e}, err
}

func (r *Redis) unreadable(ctx context.Context, lease Lease) (Delivery, error) {
	client, err := r.connected()
	if err != nil {
		return Delivery{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, r.options.StepTimeout)
	defer cancel()
	pending := keysOf(lease.Queue.EndpointUID).pending()
	received, err := client.Do(ctx, client.B().Zscore().Key(pending).Member(lease.EventID).Build()).ToString()
	if err != nil && !rueidis.IsRedisNil(err) {
		return Delivery{}, stepError("load", err)
	}
	return unreadableDelivery(lease, received), nil
}

// decodeClaim reads one row of the claim script.
func decodeClaim(queue ID, row rueidis.RedisMessage, here time.Time) (lease Lease, received string, err error) {
	fields, err := row.ToArray()
	if err != nil || len(fields) != 5 {
		return Lease{}, "", errors.Join(errReply, err)
	}
	lease.Queue = queue
	var attempts, replayed int64
	err = errors.Join(text(&fields[0], &lease.EventID), number(&fields[1], &lease.Fence),
		number(&fields[2], &attempts), number(&fields[3], &replayed), text(&fields[4], &received))
	lease.Attempts = int(attempts)
	if replayed >= 0 {
		lease.Replayed = here.Add(-time.Duration(replayed) * time.Millisecond)
	}
	return lease, received, err
}

func text(message *rueidis.RedisMessage, into *string) (err error) {
	*into, err = message.ToString()
	return err
}

func number(message *rueidis.RedisMessage, into *int64) (err error) {
	*into, err = message.AsInt64()
	return err
}

// Renew implements [Worker].
//
//	KEYS  queue
//	ARGV  now, lease ms, beginning of the endpoint's keys, target, then id and fence of each lease
//	returns the positions, from 0, of the leases that are lost
func (r *Redis) Renew(ctx context.Context, leases []Lease, lease time.Duration) ([]Lease, error) {
	var queues []ID
	byQueue := map[ID][]Lease{}
	for _, held := range leases {
		if _, seen := byQueue[held.Queue]; !seen {
			queues = append(queues, held.Queue)
		}
		byQueue[held.Queue] = append(byQueue[held.Queue], held)
	}
	calls := make([]call, len(queues))
	for i, queue := range queues {
		endpoint := keysOf(queue.EndpointUID)
		args := []string{r.now(), durationMillis(lease), string(endpoint), queue.Target}
		for _, held := range byQueue[queue] {
			args = append(args, held.EventID, strconv.FormatInt(held.Fence, 10))
		}
		calls[i] = call{keys: []string{endpoint.queue(queue.Target)}, args: args}
	}
	replies, errs := r.runAll(ctx, renewScript, calls)
	var lost []Lease
	for i, reply := range replies {
		if errs[i] != nil {
			continue
		}
		positions, err := reply.AsIntSlice()
		if err != nil {
			errs[i] = errors.Join(errReply, err)
			continue
		}
		for _, position := range positions {
			lost = append(lost, byQueue[queues[i]][position])
		}
	}
	return lost, partial(queues, errs)
}

// Depths implements [Worker]. Oldest is exact for queues of up to 256 events and
// where one of the endpoint's 4096 oldest is pending at the target; else it is
// the time of the youngest of those, and the true one is later.
//
//	KEYS  pending index, queue, dead letters of the target
//	ARGV  now
//	returns number pending, number dead, in how many ms the next is due or empty,
//	      when the oldest was received ms or empty, in how many ms the last is due or empty,
//	      in how many ms, less than 0, the oldest dead letter died or empty
func (r *Redis) Depths(ctx context.Context, queues []ID) ([]Depth, error) {
	if err := r.mine(); err != nil {
		return nil, err
	}
	calls := make([]call, len(queues))
	for i, queue := range queues {
		endpoint := keysOf(queue.EndpointUID)
		calls[i] = call{
			keys: []string{endpoint.pending(), endpoint.queue(queue.Target), endpoint.targetDead(queue.Target)},
			args: []string{r.now()},
		}
	}
	replies, errs := r.runAll(ctx, depthScript, calls)
	depths := make([]Depth, len(queues))
	for i, reply := range replies {
		if errs[i] != nil {
			continue
		}
		var err error
		if depths[i], err = decodeDepth(reply, r.here()); err != nil {
			errs[i] = errors.Join(errReply, err)
		}
	}
	return depths, partial(queues, errs)
}

// decodeDepth reads a reply. The store sends durations, which become times of
// this process's clock, because the store's clock may be hours off.
func decodeDepth(reply rueidis.RedisMessage, here time.Time) (Depth, error) {
	fields, err := reply.ToArray()
	if err != nil || len(fields) != 6 {
		return Depth{}, errors.Join(errReply, err)
	}
	var depth Depth
	var next, oldest, last, dead string
	err = errors.Join(number(&fields[0], &depth.Pending), number(&fields[1], &depth.Dead),
		text(&fields[2], &next), text(&fields[3], &oldest), text(&fields[4], &last), text(&fields[5], &dead))
	depth.OldestDead = dueIn(dead, here)
	depth.NextDue, depth.Oldest, depth.LastDue = dueIn(next, here), scoreTime(oldest), dueIn(last, here)
	return depth, err
}

// dueIn is the moment so many milliseconds from here; zero when none is given.
func dueIn(millis string, here time.Time) time.Time {
	wait, err := strconv.ParseFloat(millis, 64)
	if err != nil {
		return time.Time{}
	}
	return here.Add(time.Duration(wait) * time.Millisecond)
}

// scoreTime reads a score in milliseconds; zero when it is empty.
func scoreTime(score string) time.Time {
	at, err := strconv.ParseFloat(score, 64)
	if err != nil {
		return time.Time{}
	}
	return millisTime(int64(at))
}
