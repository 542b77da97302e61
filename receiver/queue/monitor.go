package queue

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

// forgetEvery is how many looks at the store are between two sweeps of old marks.
const forgetEvery = 60

var (
	errUnchecked = errors.New("the settings of the store have not been checked yet")
	errNoServer  = errors.New("the store names no server")
)

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
	// memory is the used part of memory, volume that of the volume.
	memory, volume float64
	// usedBytes is the used memory of all primaries, historyBytes what bodies of
	// delivered events may take of it.
	usedBytes, historyBytes int64
	// owner is the id of the installation that the store belongs to; empty when it
	// was not asked for.
	owner string
	// want and must are how many bytes too many are used, by all primaries together,
	// and shortages has each by its address; see room.go.
	want, must int64
	shortages  map[string]shortage
	// slots tells which server of a Cluster has which slots.
	slots []slotRange
	// replicas tells which primaries have replicas, which then confirm events.
	replicas replication
}

// Check reads the settings of the store and says whether events may be
// admitted: nil, a [*SettingsError], or [ErrUnavailable]. It also runs by
// itself, at start, after every new connection and once a second.
func (r *Redis) Check(ctx context.Context) error {
	r.checking.Lock()
	defer r.checking.Unlock()
	dials := r.dials.Load()
	next, err := r.observe(ctx)
	if err == nil {
		err = r.judgeOwner(ctx, next)
	}
	if err == nil && next.err == nil && r.options.Exclusive {
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
	r.vouch(dials)
	return next.err
}

// vouch ends waiting for a look at the store that is later than these dials.
func (r *Redis) vouch(dials int64) {
	r.vouched.Store(dials)
	next := make(chan struct{})
	close(*r.looked.Swap(&next))
}

// trust says, of a reply that has just come, whether the server that gave it is
// durable. Behind a connection that is younger than the latest look may be
// another server; then it waits for the next look.
func (r *Redis) trust(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.options.StepTimeout)
	defer cancel()
	for dials := r.dials.Load(); ; {
		looked := *r.looked.Load()
		if r.vouched.Load() >= dials {
			break
		}
		select {
		case <-looked:
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ErrUnavailable, errUnchecked)
		}
	}
	if err := r.state.Load().err; err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return nil
}

// Health says whether the store can be used now: reachable, and durable as asked.
func (r *Redis) Health(ctx context.Context) error {
	client, err := r.connected()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, r.options.StepTimeout)
	defer cancel()
	if err := pingAny(ctx, client); err != nil {
		return stepError("ping", err)
	}
	if err := r.state.Load().err; err != nil {
		return err
	}
	if !r.claimed() {
		return fmt.Errorf("%w: %w", ErrUnavailable, errNoOwnerYet)
	}
	return nil
}

// pingAny asks every server and is content with one that answers: the loss of a
// server of a Cluster is not that of the store.
func pingAny(ctx context.Context, client rueidis.Client) error {
	nodes := client.Nodes()
	failures := make(chan error, len(nodes))
	for _, node := range nodes {
		go func() { failures <- node.Do(ctx, node.B().Ping().Build()).Error() }()
	}
	err := errNoServer
	for range nodes {
		if err = <-failures; err == nil {
			return nil
		}
	}
	return err
}

// Weak returns the settings that fall short and were accepted on purpose, or nil.
func (r *Redis) Weak() *SettingsError {
	return r.state.Load().weak
}

// UsedRatio is the used part of maxmemory or of the volume, whichever is larger.
func (r *Redis) UsedRatio() float64 {
	return r.state.Load().used
}

// Full says whether new events are refused for want of room.
func (r *Redis) Full() bool { return r.state.Load().used >= r.options.Watermark }

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

// disconnect has the next look make another client.
func (r *Redis) disconnect(client rueidis.Client) {
	r.client.Store(nil)
	client.Close()
}

// tidy drops what nobody needs; what fails is tried again the next time.
func (r *Redis) tidy(ctx context.Context, looks int) {
	if r.state.Load().err != nil {
		return // away, or another installation's
	}
	if looks == 0 {
		_ = r.forgetMarks(ctx)
	}
	if looks%bodiesEvery == 0 {
		_ = r.trimBodies(ctx)
	}
}

// housekeep tidies beside the looks at the store, which must be prompt: answers
// wait for them.
func (r *Redis) housekeep(ctx context.Context) {
	ticker := time.NewTicker(r.options.PollInterval)
	defer ticker.Stop()
	for looks := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			looks = (looks + 1) % forgetEvery
			r.tidy(ctx, looks)
		}
	}
}

// lookAgain is how soon the store is looked at again after a look that failed.
const lookAgain = 50 * time.Millisecond

// monitor reads the state until the store is closed.
func (r *Redis) monitor(ctx context.Context) {
	var tidying sync.WaitGroup
	defer close(r.ended)
	defer tidying.Wait()
	tidying.Go(func() { r.housekeep(ctx) })
	ticker := time.NewTicker(r.options.PollInterval)
	defer ticker.Stop()
	var again <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-r.poke:
		case <-again:
		}
		err := r.Check(ctx)
		again = nil
		if r.vouched.Load() < r.dials.Load() {
			// Somebody may be waiting for it.
			again = time.After(lookAgain)
		}
		if err == nil && r.room.acquire(ctx) {
			r.makeRoom(ctx)
			r.room.release()
		}
	}
}

func (r *Redis) checkSoon() {
	select {
	case r.poke <- struct{}{}:
	default: // one is asked for already
	}
}

// admitting says whether events of the endpoint may be admitted now.
func (r *Redis) admitting(endpointUID string) error {
	state := r.state.Load()
	if state.err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, state.err)
	}
	if !r.claimed() {
		return fmt.Errorf("%w: %w", ErrUnavailable, errNoOwnerYet)
	}
	if used := state.usedFor(endpointUID); used >= r.options.Watermark {
		return fmt.Errorf("%w: %.0f %% used", ErrFull, used*100)
	}
	return nil
}
