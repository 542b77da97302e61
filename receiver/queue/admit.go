package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/redis/rueidis"

	"github.com/postern-dev/postern/receiver/event"
)

var errNoEndpoint = errors.New("an admission must name its endpoint")

// keptReply is what the admission script returns when the window of the event
// with this id is over and the event is still kept.
const keptReply = 1

// Admit implements [Admitter]. What gives way has given way before an event is
// refused for want of memory.
func (r *Redis) Admit(ctx context.Context, admission *Admission) (Receipt, error) {
	receipt, err := r.admitNow(ctx, admission)
	if errors.Is(err, ErrFull) && r.seekRoom(ctx, admission.Event.EndpointUID) {
		return r.admitNow(ctx, admission)
	}
	return receipt, err
}

func (r *Redis) admitNow(ctx context.Context, admission *Admission) (Receipt, error) {
	if admission.Event.EndpointUID == "" {
		return Receipt{}, errNoEndpoint
	}
	if len(admission.Targets)+len(admission.Dead) == 0 {
		return Receipt{}, errNoTargets
	}
	if err := r.admitting(admission.Event.EndpointUID); err != nil {
		return Receipt{}, err
	}
	if err := r.register(ctx, admission.Event.EndpointUID, admission.all()...); err != nil {
		return Receipt{}, err
	}
	work := admission.work()
	done, err := r.admit(ctx, work)
	if err == nil && done.work.reply == keptReply {
		work.id = NewID()
		admission.Event.ID = work.id
		done, err = r.admit(ctx, work)
	}
	switch {
	case err != nil && (done.call == 0 || undone(err)):
		return Receipt{}, err
	case err == nil && done.work.first != "":
		return Receipt{EventID: done.work.first, Duplicate: true, Body: done.work.body}, nil
	}
	return granted(admission, done.call), err
}

// admitWork is one admission on its way to the script, and its reply.
type admitWork struct {
	// What the admissions of one group have in common.
	endpointUID      string
	targets, dead    []string
	deadReason       string
	leaseFor, window time.Duration
	historyLimit     int

	markID, id, replayMark, received string
	// record is empty for a large event: see encoded.
	record string
	event  *event.Event

	first string
	body  BodyMatch
	reply int64
}

func (a *Admission) work() admitWork {
	work := admitWork{
		endpointUID: a.Event.EndpointUID, targets: a.Targets, dead: a.Dead, deadReason: a.DeadReason,
		leaseFor: a.LeaseFor, window: a.RememberFor, historyLimit: a.HistoryLimit,
		markID: a.Event.ID, id: a.Event.ID, replayMark: a.ReplayMark,
		received: millis(a.Event.ReceivedAt), event: a.Event,
	}
	if len(a.Event.Body) <= earlyBytes {
		work.record = encodeRecord(a.Event, a.all())
	}
	return work
}

// earlyBytes is the size of bodies whose records are made before their call.
const earlyBytes = 32 << 10

// encoded is the record of the event. That of a large one is made for its call
// alone, because many may wait for theirs and each would hold its body twice.
func (w *admitWork) encoded() string {
	if w.record != "" {
		return w.record
	}
	return encodeRecord(w.event, slices.Concat(w.targets, w.dead))
}

func (w *admitWork) alike(other *admitWork) bool {
	return w.endpointUID == other.endpointUID && w.leaseFor == other.leaseFor && w.window == other.window &&
		w.historyLimit == other.historyLimit && (w.replayMark == "") == (other.replayMark == "") &&
		slices.Equal(w.targets, other.targets) && slices.Equal(w.dead, other.dead) && w.deadReason == other.deadReason
}

// admit brings one admission to the script, together with those of others.
func (r *Redis) admit(ctx context.Context, work admitWork) (*step[admitWork], error) {
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	return r.admissions.do(ctx, r.lane(work.endpointUID), work.endpointUID, work, int(work.event.Size()))
}

// admitAll runs the admission script. The name of the call is the fence of its
// leases: with it, a lease whose answer was lost can be given back although the
// event may have been admitted by another call, and leased, since.
//
//	KEYS  for each group: one queue a target, dead letters of each dead target
//	ARGV  now; fence of the leases; 1 to write the mark of a duplicate again; number of groups;
//	      for each group: beginning of the endpoint's keys, lease ms, window ms,
//	      history limit, 1 if there are replay marks else 0, reason of the dead
//	      targets, number of targets, number of dead targets, number of events,
//	      targets, dead targets;
//	      for each event: mark's id, event's id (mostly the same), received ms,
//	      record, [replay mark]
//	returns for each group an error or, for each event: for a duplicate its
//	      [BodyMatch], a blank and the id of the first; 0 when it was stored, 1 when the mark's window is over but
//	      its event is still kept: then nothing was written, and it must be
//	      admitted under another id
func (r *Redis) admitAll(steps []*step[admitWork]) {
	run, again := r.run, "0"
	if r.state.Load().replicas != replicatedNowhere {
		run, again = r.runReplicated, "1"
	}
	groups := grouped(steps, (*admitWork).alike)
	var keys []string
	args := make([]string, 0, 4+10*len(groups)+5*len(steps))
	args = append(args, r.now(), strconv.FormatInt(steps[0].call, 10), again, strconv.Itoa(len(groups)))
	for _, group := range groups {
		keys, args = appendAdmissions(keys, args, group)
	}
	message, err := run(context.Background(), admitScript, keys, args)
	if err == nil {
		err = unconfirmed(r.trust(context.Background()))
	}
	shareReplies(admitScript, groups, message, err, func(work *admitWork, reply *rueidis.RedisMessage) error {
		if reply.IsString() {
			text, err := reply.ToString()
			match, first, _ := strings.Cut(text, " ")
			work.body, work.first = BodyMatch(match), first
			return err
		}
		return number(reply, &work.reply)
	})
}

// appendAdmissions appends what the script needs for one group.
func appendAdmissions(keys, args []string, group []*step[admitWork]) (allKeys, allArgs []string) {
	common := &group[0].work
	endpoint, replay := keysOf(common.endpointUID), "0"
	if common.replayMark != "" {
		replay = "1"
	}
	args = append(args, string(endpoint), durationMillis(common.leaseFor), durationMillis(common.window),
		strconv.Itoa(common.historyLimit), replay, common.deadReason, strconv.Itoa(len(common.targets)),
		strconv.Itoa(len(common.dead)), strconv.Itoa(len(group)))
	for _, target := range common.targets {
		keys = append(keys, endpoint.queue(target))
		args = append(args, target)
	}
	for _, target := range common.dead {
		keys = append(keys, endpoint.targetDead(target))
		args = append(args, target)
	}
	for _, one := range group {
		args = append(args, one.work.markID, one.work.id, one.work.received, one.work.encoded())
		if one.work.replayMark != "" {
			args = append(args, one.work.replayMark)
		}
	}
	return keys, args
}

// granted is the receipt of an event that was stored.
func granted(admission *Admission, fence int64) Receipt {
	receipt := Receipt{EventID: admission.Event.ID}
	if admission.LeaseFor <= 0 {
		return receipt
	}
	for _, target := range admission.Targets {
		receipt.Leases = append(receipt.Leases, Lease{
			Queue:   ID{EndpointUID: admission.Event.EndpointUID, Target: target},
			EventID: admission.Event.ID,
			Fence:   fence,
		})
	}
	return receipt
}

// register puts endpoint and targets in the sets of those known, before the
// first event of each. The sets are for listing and cleaning up; they are of
// another slot than the events and cannot be part of the script.
func (r *Redis) register(ctx context.Context, uid string, targets ...string) error {
	for _, target := range targets {
		queue := ID{EndpointUID: uid, Target: target}
		if _, known := r.registered.Load(queue); known {
			continue
		}
		if target == "" || strings.ContainsFunc(target, unicode.IsSpace) {
			return fmt.Errorf("%q is no name for a target: it must not be empty and have no spaces", target)
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
