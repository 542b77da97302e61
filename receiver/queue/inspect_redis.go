package queue

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/rueidis"

	"github.com/postern-dev/postern/receiver/event"
)

// stored is an event record without its body, as peeked.
type stored struct {
	id        string
	bodyBytes int64
	fields    map[string]string
	event     *event.Event
	targets   []string
}

// peek reads records without their bodies; ids that are not kept are left out,
// as are records that cannot be read.
//
//	KEYS  none but one of the endpoint, for the slot
//	ARGV  beginning of record keys, ids
//	returns for each id: id, size of the body, names and values of the other fields
func (r *Redis) peek(ctx context.Context, endpointUID string, ids []string) ([]*stored, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	endpoint := keysOf(endpointUID)
	message, err := r.run(ctx, peekScript, []string{endpoint.pending()}, append([]string{endpoint.records()}, ids...))
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
		if record.event != nil {
			found = append(found, record)
		}
	}
	return found, nil
}

func decodePeek(row rueidis.RedisMessage) (*stored, error) {
	columns, err := row.ToArray()
	if err != nil || len(columns) != 3 {
		return nil, errors.Join(errReply, err)
	}
	record := &stored{}
	if err := errors.Join(text(&columns[0], &record.id), number(&columns[1], &record.bodyBytes)); err != nil {
		return nil, errors.Join(errReply, err)
	}
	if record.fields, err = columns[2].AsStrMap(); err != nil {
		return nil, errors.Join(errReply, err)
	}
	if meta, kept := record.fields["m"]; kept {
		// One that this build cannot read is listed without its details.
		if event, targets, err := decodeMeta(meta); err == nil {
			record.event, record.targets = event, targets
		}
	}
	return record, nil
}

// summary is what listings show of the record.
func (s *stored) summary() Summary {
	summary := Summary{
		ID:         s.id,
		Source:     s.event.Source,
		Type:       s.event.Type,
		DeliveryID: s.event.DeliveryID,
		ReceivedAt: s.event.ReceivedAt,
		Verified:   s.event.Verified,
		BodyBytes:  s.bodyBytes,
		Status:     StatusDelivered,
	}
	switch {
	case s.fields["o"] != "0":
		summary.Status = StatusPending
	case s.fields["k"] != "" && s.fields["k"] != "0":
		summary.Status = StatusDead
	}
	for _, target := range s.targets {
		summary.Targets = append(summary.Targets, s.target(target))
	}
	return summary
}

// target reads the state of one target, as keys.go describes it.
func (s *stored) target(name string) TargetState {
	state := TargetState{Target: name, Status: StatusPending, Reason: s.fields["r:"+name]}
	parts := strings.Fields(s.fields["t:"+name])
	if len(parts) != 5 {
		return state
	}
	switch parts[0] {
	case "d":
		state.Status, state.Reason = StatusDelivered, ""
	case "x":
		state.Status = StatusDead
	}
	state.Attempts, _ = strconv.Atoi(parts[2]) // only our scripts write it
	state.Replay = parts[3] == "1"
	tries, _ := strconv.Atoi(parts[4])
	for n := max(0, tries-AttemptsKept); n < tries; n++ {
		var attempt Attempt
		if json.Unmarshal([]byte(s.fields["a:"+name+":"+strconv.Itoa(n%AttemptsKept)]), &attempt) == nil {
			state.Log = append(state.Log, attempt)
		}
	}
	return state
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
		client.B().Hmget().Key(endpoint.record(id)).Field("m", "b").Build(),
		client.B().Zscore().Key(endpoint.index(summary.Status)).Member(id).Build())
	fields, err := replies[0].AsStrSlice()
	if err != nil {
		return nil, stepError("get", err)
	}
	if fields[0] == "" {
		return nil, ErrNotFound // finished and trimmed since
	}
	if changed, err := replies[1].AsFloat64(); err == nil {
		summary.ChangedAt = millisTime(int64(changed))
	}
	e, err := decodeEvent(endpointUID, id, fields[0], []byte(fields[1]))
	if err != nil {
		return nil, err
	}
	return &Record{Summary: summary, Event: e}, nil
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
