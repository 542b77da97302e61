package queue

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/redis/rueidis"
)

// PartialError says which queues a call about several could not reach. What it
// returns of the others holds.
type PartialError struct {
	Failed map[ID]error
}

func (e *PartialError) Error() string {
	for id, err := range e.Failed {
		return fmt.Sprintf("%d queues failed, one of them that of target %s of endpoint %s: %v",
			len(e.Failed), id.Target, id.EndpointUID, err)
	}
	return "no queue failed"
}

// Unwrap returns what each queue failed with.
func (e *PartialError) Unwrap() []error {
	all := make([]error, 0, len(e.Failed))
	for _, err := range e.Failed {
		all = append(all, err)
	}
	return all
}

// FailureOf is what a call that returned err failed with for one queue, nil when
// it did not fail for that one.
func FailureOf(err error, id ID) error {
	if partial, ok := errors.AsType[*PartialError](err); ok {
		return partial.Failed[id]
	}
	return err
}

// partial makes one error of those of several queues.
func partial(queues []ID, errs []error) error {
	failed := map[ID]error{}
	for i, err := range errs {
		if err != nil {
			failed[queues[i]] = err
		}
	}
	if len(failed) == 0 {
		return nil
	}
	return &PartialError{Failed: failed}
}

// ofSlot are the errors that a server of a Cluster gives for the slot of a call,
// while its other slots are well.
var ofSlot = []string{"MOVED", "ASK", "TRYAGAIN", "CROSSSLOT", "CLUSTERDOWN"}

// OfEndpointAlone tells that a call failed for its endpoint and says nothing of
// others: its slot is just moving, or has no server.
func OfEndpointAlone(err error) bool {
	reply, ok := errors.AsType[*rueidis.RedisError](err)
	if !ok {
		return false
	}
	code, _, _ := strings.Cut(reply.Error(), " ")
	for _, known := range ofSlot {
		if code == known {
			return true
		}
	}
	return strings.Contains(reply.Error(), "access a non local key")
}

// Part implements [Worker]: on a Cluster it is the primary of the endpoint's
// slot, as the latest look at the store has it.
func (r *Redis) Part(endpointUID string) string {
	return r.state.Load().slotsWith(endpointUID).primary
}

// slotsWith is the range of slots that an endpoint is in; an empty one without a
// Cluster, or when it is not known.
func (s *storeState) slotsWith(endpointUID string) slotRange {
	if len(s.slots) == 0 {
		return slotRange{}
	}
	slot := slotOf(endpointUID)
	for _, some := range s.slots {
		if some.first <= slot && slot <= some.last {
			return some
		}
	}
	return slotRange{}
}

// Part implements [Worker].
func (*Memory) Part(string) string { return "" }

// slotRange is a range of slots and the server that has them, by id and address.
type slotRange struct {
	first, last      int64
	primary, address string
}

// askSlots reads which server has which slots. A look at the store does without.
func askSlots(ctx context.Context, node rueidis.Client) []slotRange {
	rows, err := node.Do(ctx, node.B().ClusterSlots().Build()).ToArray()
	if err != nil {
		return nil
	}
	var slots []slotRange
	for _, row := range rows {
		fields, err := row.ToArray()
		if err != nil || len(fields) < 3 {
			continue
		}
		primary, err := fields[2].ToArray()
		if err != nil || len(primary) < 3 {
			continue
		}
		var some slotRange
		var port int64
		err = errors.Join(number(&fields[0], &some.first), number(&fields[1], &some.last),
			number(&primary[1], &port), text(&primary[2], &some.primary))
		// A server that does not know its own name goes by none.
		if host, err := primary[0].ToString(); err == nil {
			some.address = net.JoinHostPort(host, strconv.FormatInt(port, 10))
		}
		if err == nil {
			slots = append(slots, some)
		}
	}
	return slots
}

// slotOf is the slot of a hash tag: CRC-16/XMODEM modulo 16384
// (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/).
func slotOf(tag string) int64 {
	crc := uint16(0)
	for _, b := range []byte(tag) {
		crc ^= uint16(b) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return int64(crc % 16384)
}
