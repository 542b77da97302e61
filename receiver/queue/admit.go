package queue

import (
	"context"
	"errors"
	"strconv"

	"github.com/redis/rueidis"
)

var errNoEndpoint = errors.New("an admission must name its endpoint")

// keptReply is what the admission script returns when the window of the event
// with this id is over and the event is still kept.
const keptReply = 1

// Admit implements [Admitter].
func (r *Redis) Admit(ctx context.Context, admission *Admission) (Receipt, error) {
	if admission.Event.EndpointUID == "" {
		return Receipt{}, errNoEndpoint
	}
	if len(admission.Targets) == 0 {
		return Receipt{}, errNoTargets
	}
	if err := r.admitting(); err != nil {
		return Receipt{}, err
	}
	if err := r.register(ctx, admission); err != nil {
		return Receipt{}, err
	}
	markID := admission.Event.ID
	first, reply, err := r.admit(ctx, admission, markID)
	if err == nil && reply == keptReply {
		admission.Event.ID = NewID()
		first, _, err = r.admit(ctx, admission, markID)
	}
	if err != nil {
		return Receipt{}, err
	}
	if first != "" {
		return Receipt{EventID: first, Duplicate: true}, nil
	}
	return granted(admission), nil
}

// admit runs the admission script.
//
//	KEYS  for each event: record of the mark's id, record of the event's own id
//	      (mostly the same), pending index, [replay mark], one queue a target
//	ARGV  now; 1 to write the mark of a duplicate again; number of events;
//	      for each: mark's id, event's id, lease ms, window ms, history limit,
//	      received ms, meta, body,
//	      1 if there is a replay mark else 0, number of targets, targets
//	returns for each event: the id of the first for a duplicate, 0 when it was
//	      stored, 1 when the mark's window is over but its event is still kept:
//	      then nothing was written, and it must be admitted under another id
func (r *Redis) admit(ctx context.Context, admission *Admission, markID string) (first string, reply int64, err error) {
	run, again := r.run, "0"
	if r.state.Load().replicated {
		run, again = r.runReplicated, "1"
	}
	keys, args := admission.arguments([]string{r.now(), again, "1"}, markID)
	message, err := run(ctx, admitScript, keys, args)
	if err != nil {
		return "", 0, err
	}
	replies, err := message.ToArray()
	if err != nil || len(replies) != 1 {
		return "", 0, errors.Join(errReply, err)
	}
	if replies[0].IsString() {
		first, err = replies[0].ToString()
		return first, 0, err
	}
	reply, err = replies[0].AsInt64()
	return "", reply, err
}

// arguments appends what the script needs for one admission.
func (a *Admission) arguments(head []string, markID string) (keys, args []string) {
	e, endpoint := a.Event, keysOf(a.Event.EndpointUID)
	keys = append(make([]string, 0, 4+len(a.Targets)),
		endpoint.record(markID), endpoint.record(e.ID), endpoint.pending())
	args = append(make([]string, 0, 12+len(a.Targets)), head...)
	args = append(args, markID, e.ID, durationMillis(a.LeaseFor), durationMillis(a.RememberFor),
		strconv.Itoa(a.HistoryLimit), millis(e.ReceivedAt),
		rueidis.BinaryString(encodeMeta(e, a.Targets)), rueidis.BinaryString(e.Body))
	if a.ReplayMark == "" {
		args = append(args, "0")
	} else {
		args = append(args, "1")
		keys = append(keys, endpoint.replayMark(a.ReplayMark))
	}
	args = append(args, strconv.Itoa(len(a.Targets)))
	for _, target := range a.Targets {
		keys = append(keys, endpoint.queue(target))
		args = append(args, target)
	}
	return keys, args
}

// granted is the receipt of an event that was stored.
func granted(admission *Admission) Receipt {
	receipt := Receipt{EventID: admission.Event.ID}
	if admission.LeaseFor <= 0 {
		return receipt
	}
	for _, target := range admission.Targets {
		receipt.Leases = append(receipt.Leases, Lease{
			Queue:   ID{EndpointUID: admission.Event.EndpointUID, Target: target},
			EventID: admission.Event.ID,
			Fence:   1,
		})
	}
	return receipt
}

// register puts endpoint and targets in the sets of those known, before the
// first event of each. The sets are for listing and cleaning up; they are of
// another slot than the events and cannot be part of the script.
func (r *Redis) register(ctx context.Context, admission *Admission) error {
	uid := admission.Event.EndpointUID
	for _, target := range admission.Targets {
		queue := ID{EndpointUID: uid, Target: target}
		if _, known := r.registered.Load(queue); known {
			continue
		}
		if err := r.add(ctx, keyEndpoints, uid); err != nil {
			return err
		}
		if err := r.add(ctx, keysOf(uid).targets(), target); err != nil {
			return err
		}
		r.registered.Store(queue, struct{}{})
	}
	return nil
}

func (r *Redis) add(ctx context.Context, set, member string) error {
	client, err := r.connected()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, r.options.StepTimeout)
	defer cancel()
	return stepError("register", client.Do(ctx, client.B().Sadd().Key(set).Member(member).Build()).Error())
}
