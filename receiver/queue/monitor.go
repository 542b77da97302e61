package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/rueidis"
)

// forgetEvery is how many looks at the store are between two sweeps of old marks.
const forgetEvery = 60

var errUnchecked = errors.New("the settings of the store have not been checked yet")

// storeState is what was last seen of the store.
type storeState struct {
	// err says why nothing may be admitted.
	err error
	// runIDs identify the servers whose settings were checked.
	runIDs string
	// weak holds what is accepted by AllowWeakDurability.
	weak *SettingsError
	// used is the used part of memory or volume, the larger one.
	used float64
	// memory is the used part of memory.
	memory float64
	// replicated is set while every primary has a replica, which must then
	// confirm events.
	replicated bool
}

// Check reads the settings of the store and says whether events may be
// admitted: nil, a [*SettingsError], or [ErrUnavailable]. It also runs by
// itself, at start, after every new connection and once a second.
func (r *Redis) Check(ctx context.Context) error {
	r.checking.Lock()
	defer r.checking.Unlock()
	next, err := r.observe(ctx)
	if err == nil && r.options.Exclusive {
		err = r.takeOver(ctx)
	}
	if err != nil {
		// A look that failed on its way changes nothing: then every step fails by
		// itself. One that the store refused may mean that another server is there.
		if _, refused := errors.AsType[*rueidis.RedisError](err); refused || r.client.Load() == nil {
			r.state.Store(&storeState{err: err})
		}
		return stepError("check", err)
	}
	if next.runIDs != r.state.Load().runIDs {
		r.registered.Clear()
	}
	r.state.Store(next)
	return next.err
}

// Health says whether the store can be used now: reachable, and durable as asked.
func (r *Redis) Health(ctx context.Context) error {
	client, err := r.connected()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, r.options.StepTimeout)
	defer cancel()
	if err := client.Do(ctx, client.B().Ping().Build()).Error(); err != nil {
		return stepError("ping", err)
	}
	return r.state.Load().err
}

// Weak returns the settings that fall short and were accepted on purpose, or nil.
func (r *Redis) Weak() *SettingsError {
	return r.state.Load().weak
}

// UsedRatio is the used part of maxmemory or of the volume, whichever is larger.
func (r *Redis) UsedRatio() float64 {
	return r.state.Load().used
}

// observe connects if need be and looks at every server.
func (r *Redis) observe(ctx context.Context) (*storeState, error) {
	ctx, cancel := context.WithTimeout(ctx, r.options.StepTimeout)
	defer cancel()
	client, err := r.connect()
	if err != nil {
		return nil, err
	}
	next := &storeState{}
	infos := map[string]serverInfo{}
	for address, node := range client.Nodes() {
		info, err := askInfo(ctx, node)
		if err != nil {
			return nil, err
		}
		infos[address] = info
		next.memory = max(next.memory, info.usedRatio)
		next.runIDs += info.runID + " "
	}
	if next.replicated, err = replicated(ctx, client, infos); err != nil && !r.options.AllowWeakDurability {
		return nil, err
	}
	next.used = max(next.memory, r.volumeUsed())
	wrong, err := r.settings(ctx, client, infos)
	if err != nil && !r.options.AllowWeakDurability {
		return nil, err
	}
	if len(wrong) > 0 {
		next.weak = &SettingsError{Wrong: wrong}
		if !r.options.AllowWeakDurability {
			next.err, next.weak = next.weak, nil
		}
	}
	return next, nil
}

// replicated tells whether there is a replica of everything.
func replicated(ctx context.Context, client rueidis.Client, infos map[string]serverInfo) (bool, error) {
	primaries := 0
	for address, node := range client.Nodes() {
		info := infos[address]
		if !info.primary {
			continue
		}
		if info.replicas == 0 {
			return false, nil
		}
		if err := mayWait(ctx, node); err != nil {
			return false, err
		}
		primaries++
	}
	return primaries > 0, nil
}

// settings reads the settings of every server; they are few and cheap, and a
// CONFIG SET by hand is found within a second too.
func (r *Redis) settings(
	ctx context.Context, client rueidis.Client, infos map[string]serverInfo,
) ([]Setting, error) {
	var wrong []Setting
	for address, node := range client.Nodes() {
		found, err := checkNode(ctx, address, node)
		if err != nil {
			return nil, err
		}
		wrong = append(wrong, found...)
		if infos[address].aofWriteError {
			wrong = append(wrong, Setting{
				Node: address, Name: "aof_last_write_status", Value: "err", Want: "ok",
				Reason: "the last write of the append-only file failed; look at its volume",
			})
		}
	}
	return wrong, nil
}

// connect makes the client on first use. Afterwards the client itself connects anew.
func (r *Redis) connect() (rueidis.Client, error) {
	if client := r.client.Load(); client != nil {
		return *client, nil
	}
	client, err := rueidis.NewClient(r.connection)
	if err != nil {
		return nil, fmt.Errorf("connecting to the store: %w", err)
	}
	r.client.Store(&client)
	return client, nil
}

// monitor reads the state until the store is closed.
func (r *Redis) monitor(ctx context.Context) {
	defer close(r.ended)
	ticker := time.NewTicker(r.options.PollInterval)
	defer ticker.Stop()
	for looks := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if looks = (looks + 1) % forgetEvery; looks == 0 {
				_ = r.forgetMarks(ctx) // the next time tries again
			}
		case <-r.poke:
		}
		if r.Check(ctx) == nil && r.state.Load().memory >= r.options.Watermark*shedBelow {
			r.shedHistory(ctx)
		}
	}
}

func (r *Redis) checkSoon() {
	select {
	case r.poke <- struct{}{}:
	default: // one is asked for already
	}
}

// admitting says whether events may be admitted now.
func (r *Redis) admitting() error {
	state := r.state.Load()
	if state.err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, state.err)
	}
	if state.used >= r.options.Watermark {
		return fmt.Errorf("%w: %.0f %% used", ErrFull, state.used*100)
	}
	return nil
}
