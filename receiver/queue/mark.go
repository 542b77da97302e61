package queue

import (
	"context"
	"errors"
	"time"
)

// Mark is the deduplication mark of an event that is delivered while its sender
// waits: the store keeps no such event, it tells copies of it apart.
type Mark struct {
	EndpointUID string
	Target      string
	EventID     string
	// ReplayMark, if set, is a second mark, as in an [Admission].
	ReplayMark string
	// Owner names this delivery; no two have the same.
	Owner string
	// HoldFor is how long other copies are held off at most: until then the owner
	// keeps or releases the mark, or is gone.
	HoldFor time.Duration
	// RememberFor is the deduplication window that begins when the mark is kept.
	RememberFor time.Duration
}

// Standing is how an event stands that is asked for by its mark.
type Standing int

// Standings.
const (
	// Taken: the mark is the caller's now, who keeps or releases it.
	Taken Standing = iota
	// Held: a copy is being delivered.
	Held
	// Known: the event was delivered, or is queued.
	Known
)

// Marker keeps marks of events that it does not store.
type Marker interface {
	// TakeMark takes the mark, unless another holds it or the event is known,
	// by this or by an [Admission]; then it returns the id of the first. An error
	// means that the event is not to be delivered.
	TakeMark(ctx context.Context, mark Mark) (Standing, string, error)
	// KeepMark makes the event known for the window, whoever holds the mark: it
	// was delivered.
	KeepMark(ctx context.Context, mark Mark) error
	// ReleaseMark lets the next copy have the mark, if its owner still holds it:
	// the event was not delivered.
	ReleaseMark(ctx context.Context, mark Mark) error
}

// TakeMark implements [Marker].
//
//	KEYS  the mark while it is held, [likewise the replay mark]
//	ARGV  now, beginning of the endpoint's keys, id, replay mark or empty, owner, hold ms
//	returns 0 when it was taken, 1 when another holds it, or the id of the first
func (r *Redis) TakeMark(ctx context.Context, mark Mark) (Standing, string, error) {
	if err := r.admitting(mark.EndpointUID); err != nil {
		return Held, "", err
	}
	if err := r.register(ctx, mark.EndpointUID, mark.Target); err != nil {
		return Held, "", err
	}
	keys, args := mark.arguments(r.now())
	message, err := r.run(ctx, takeMarkScript, keys, append(args, durationMillis(mark.HoldFor)))
	if err != nil {
		return Held, "", err
	}
	if message.IsString() {
		first, err := message.ToString()
		return Known, first, err
	}
	standing, err := message.AsInt64()
	if err != nil {
		return Held, "", errors.Join(errReply, err)
	}
	return Standing(standing), "", nil
}

// KeepMark implements [Marker].
//
//	KEYS  as for TakeMark
//	ARGV  now, beginning of the endpoint's keys, id, replay mark or empty, owner,
//	      window ms; 0 to release the mark
//	returns 1
func (r *Redis) KeepMark(ctx context.Context, mark Mark) error {
	keys, args := mark.arguments(r.now())
	_, err := r.run(ctx, leaveMarkScript, keys, append(args, durationMillis(mark.RememberFor)))
	return err
}

// ReleaseMark implements [Marker], by the same script.
func (r *Redis) ReleaseMark(ctx context.Context, mark Mark) error {
	mark.RememberFor = 0
	return r.KeepMark(ctx, mark)
}

func (m *Mark) arguments(now string) (keys, args []string) {
	endpoint := keysOf(m.EndpointUID)
	keys = []string{endpoint.held(m.EventID)}
	if m.ReplayMark != "" {
		keys = append(keys, endpoint.held(m.ReplayMark))
	}
	return keys, []string{now, string(endpoint), m.EventID, m.ReplayMark, m.Owner}
}
