package queue

import (
	"context"
	"errors"
	"time"

	"github.com/redis/rueidis"
)

// Job names one long piece of work on the events of an endpoint.
type Job struct {
	EndpointUID string
	ID          string
}

// Hold says who works on a job and how long the others leave it alone.
type Hold struct {
	// Owner names the process; no two have the same.
	Owner string
	// For is how long after the last word of its owner another may take the job.
	For time.Duration
	// Keep is how long the job's state is kept after the last word about it.
	Keep time.Duration
}

// Ledger keeps how far long work got, so that of several processes one does it,
// and another goes on where it stopped when that one is gone.
type Ledger interface {
	// TakeJob takes a job that nobody else holds, and says whether that went
	// well. In any case it returns the state that was saved last, empty for a new job.
	TakeJob(ctx context.Context, job Job, hold Hold) (state []byte, taken bool, err error)
	// SaveJob saves the state of a job that this owner took and holds it further.
	// It returns [ErrLeaseLost] when another has taken it since.
	SaveJob(ctx context.Context, job Job, hold Hold, state []byte) error
}

// TakeJob implements [Ledger].
func (r *Redis) TakeJob(ctx context.Context, job Job, hold Hold) ([]byte, bool, error) {
	return r.job(ctx, job, hold)
}

// SaveJob implements [Ledger].
func (r *Redis) SaveJob(ctx context.Context, job Job, hold Hold, state []byte) error {
	_, held, err := r.job(ctx, job, hold, rueidis.BinaryString(state))
	if err == nil && !held {
		err = ErrLeaseLost
	}
	return err
}

// job takes a job, or with a state saves it.
//
//	KEYS  job
//	ARGV  now, owner, hold ms, keep ms, [state]
//	returns 1 if the owner holds the job now else 0, and the state
func (r *Redis) job(ctx context.Context, job Job, hold Hold, state ...string) ([]byte, bool, error) {
	args := append([]string{r.now(), hold.Owner, durationMillis(hold.For), durationMillis(hold.Keep)}, state...)
	message, err := r.run(ctx, jobScript, []string{keysOf(job.EndpointUID).job(job.ID)}, args)
	if err != nil {
		return nil, false, err
	}
	reply, err := message.ToArray()
	if err != nil || len(reply) != 2 {
		return nil, false, errors.Join(errReply, err)
	}
	held, err := reply[0].AsInt64()
	if err != nil {
		return nil, false, errors.Join(errReply, err)
	}
	saved, err := reply[1].AsBytes()
	return saved, held == 1, err
}

// memoryJob is a job of a [Memory] store, which has one process and so one
// owner at a time.
type memoryJob struct {
	owner string
	until time.Time
	state []byte
}

// TakeJob implements [Ledger].
func (m *Memory) TakeJob(_ context.Context, job Job, hold Hold) ([]byte, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.clock()
	known, ok := m.jobs[job]
	if ok && known.owner != hold.Owner && known.until.After(now) {
		return known.state, false, nil
	}
	m.jobs[job] = memoryJob{owner: hold.Owner, until: now.Add(hold.For), state: known.state}
	return known.state, true, nil
}

// SaveJob implements [Ledger].
func (m *Memory) SaveJob(_ context.Context, job Job, hold Hold, state []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.jobs[job].owner != hold.Owner {
		return ErrLeaseLost
	}
	m.jobs[job] = memoryJob{owner: hold.Owner, until: m.clock().Add(hold.For), state: state}
	return nil
}
