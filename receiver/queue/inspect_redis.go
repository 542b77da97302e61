package queue

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/rueidis"

	"github.com/postern-dev/postern/receiver/event"
)

// stored is an event without its body, as peeked.
type stored struct {
	id        string
	bodyBytes int64
	bodyGone  bool
	event     *event.Event
	targets   []string
	standing  []TargetState
	// newer is set when the state is a newer version's.
	newer bool
}

// peek looks at events without their bodies; ids that are not kept are left
// out. Of events that cannot be read there is what their state tells.
//
//	KEYS  pending index
//	ARGV  beginning of the endpoint's keys, ids
//	returns for each id that is kept: id, size of the body, record up to the body,
//	      state, names and values of its attempts and excerpts
func (r *Redis) peek(ctx context.Context, endpointUID string, ids []string) ([]*stored, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	endpoint := keysOf(endpointUID)
	message, err := r.run(ctx, peekScript, []string{endpoint.pending()}, append([]string{string(endpoint)}, ids...))
	if err != nil {
		return nil, err
	}
	rows, err := message.ToArray()
	if err != nil {
		return nil, errors.Join(errReply, err)
	}
	var found []*stored
	for _, row := range rows {
		record, err := decodePeek(row)
		if err != nil {
			return nil, err
		}
		found = append(found, record)
	}
	return found, nil
}

func decodePeek(row rueidis.RedisMessage) (*stored, error) {
	columns, err := row.ToArray()
	if err != nil || len(columns) != 5 {
		return nil, errors.Join(errReply, err)
	}
	record := &stored{}
	var start, state string
	if err := errors.Join(text(&columns[0], &record.id), number(&columns[1], &record.bodyBytes),
		text(&columns[2], &start), text(&columns[3], &state)); err != nil {
		return nil, errors.Join(errReply, err)
	}
	log, err := columns[4].AsStrMap()
	if err != nil {
		return nil, errors.Join(errReply, err)
	}
	if record.event, record.targets, _, err = decodeStart(start); err != nil {
		record.event, record.targets = &event.Event{}, targetsOf(state)
	}
	record.bodyGone = err == nil && start[0]&goneFlag != 0
	record.newer = !strings.HasPrefix(state, stateLayout+" ")
	record.standing = decodeState(record.id, state, record.targets, log)
	return record, nil
}

// targetsOf are the targets that a state has lines for.
func targetsOf(state string) []string {
	var targets []string
	for line := range strings.Lines(state) {
		if name, fields, _ := strings.Cut(line, " "); strings.Count(fields, " ") >= 5 {
			targets = append(targets, name)
		}
	}
	return targets
}

// decodeState reads where an event stands at its targets, as keys.go describes it.
func decodeState(id, state string, targets []string, log map[string]string) []TargetState {
	lines := map[string][]string{}
	for line := range strings.Lines(state) {
		if fields := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 7); len(fields) == 7 {
			lines[fields[0]] = fields[1:]
		}
	}
	standing := make([]TargetState, len(targets))
	for i, name := range targets {
		standing[i] = decodeTarget(name, lines[name])
		field := id + " " + name
		standing[i].Log = parseAttempts(log[field+" 0"], log[field])
	}
	return standing
}

// decodeTarget reads state, fence, attempts, replay, tries and reason.
func decodeTarget(name string, fields []string) TargetState {
	target := TargetState{Target: name, Status: StatusPending}
	if len(fields) != 6 {
		return target
	}
	target.Reason = fields[5]
	switch fields[0] {
	case "d":
		target.Status, target.Reason = StatusDelivered, ""
	case "x":
		target.Status = StatusDead
	case "g":
		target.Status = StatusDiscarded
	}
	target.Attempts, _ = strconv.Atoi(fields[2]) // only our scripts write it
	target.Replay = fields[3] != "0"
	return target
}

// stand says where an event stands whose state cannot be read: where it is found.
func (s *stored) stand(status Status) {
	for i := range s.standing {
		s.standing[i].Status = status
		if status == StatusDead {
			s.standing[i].Reason = ReasonUnknownVersion
		}
	}
}

// summary is what listings show of the event.
func (s *stored) summary() Summary {
	summary := Summary{
		ID:         s.id,
		Source:     s.event.Source,
		Type:       s.event.Type,
		DeliveryID: s.event.DeliveryID,
		ReceivedAt: s.event.ReceivedAt,
		Verified:   s.event.Verified,
		BodyBytes:  s.bodyBytes,
		BodyGone:   s.bodyGone,
		Status:     StatusDelivered,
		Targets:    s.standing,
	}
	for _, target := range s.standing {
		if target.Status == StatusPending {
			summary.Status = StatusPending
			break
		}
		if target.Status == StatusDead {
			summary.Status = StatusDead
		}
	}
	return summary
}

// Get implements [Inspector].
func (r *Redis) Get(ctx context.Context, endpointUID, id string) (*Record, error) {
	found, err := r.peek(ctx, endpointUID, []string{id})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, ErrNotFound
	}
	client, err := r.connected()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, r.options.StepTimeout)
	defer cancel()
	endpoint, summary := keysOf(endpointUID), found[0].summary()
	replies := client.DoMulti(ctx,
		client.B().Get().Key(endpoint.record(id)).Build(),
		client.B().Zscore().Key(endpoint.index(summary.Status)).Member(id).Build())
	kept, err := replies[0].ToString()
	if rueidis.IsRedisNil(err) || kept == "" && err == nil {
		return nil, ErrNotFound // finished and trimmed since
	}
	if err != nil {
		return nil, stepError("get", err)
	}
	if changed, err := replies[1].AsFloat64(); err == nil {
		summary.ChangedAt = millisTime(int64(changed))
	}
	return &Record{Summary: summary, Event: decodeKept(endpointUID, id, kept)}, nil
}

// decodeKept reads an event for people: without its body where that is gone, and
// as much as can be read of one that is damaged.
func decodeKept(endpointUID, id, record string) *event.Event {
	e, err := decodeRecord(endpointUID, id, []byte(record))
	if err == nil {
		return e
	}
	if e, _, _, err = decodeStart(record); err != nil {
		e = &event.Event{}
	}
	e.ID, e.EndpointUID = id, endpointUID
	return e
}

// Endpoints implements [Keeper].
func (r *Redis) Endpoints(ctx context.Context) ([]string, error) {
	return r.members(ctx, keyEndpoints)
}

// Targets implements [Keeper].
func (r *Redis) Targets(ctx context.Context, endpointUID string) ([]string, error) {
	return r.members(ctx, keysOf(endpointUID).targets())
}

func (r *Redis) members(ctx context.Context, set string) ([]string, error) {
	client, err := r.connected()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, r.options.StepTimeout)
	defer cancel()
	members, err := client.Do(ctx, client.B().Smembers().Key(set).Build()).AsStrSlice()
	slices.Sort(members)
	return members, stepError("list", err)
}
