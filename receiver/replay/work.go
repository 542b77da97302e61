package replay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/route"
)

const (
	// hold is how long a receiver that stopped without a word keeps a replay from
	// the others; kept is how long the others can tell that it is finished.
	hold = 30 * time.Second
	kept = 7 * 24 * time.Hour
	// pageSize is how many events are listed at a time.
	pageSize = 100
	// saveEvents and saveInterval are after how much work it is saved how far it got.
	saveEvents   = 64
	saveInterval = time.Second
	// lookAgain is when a replay that another receiver has is looked at again.
	lookAgain = 10 * time.Second
	// minWait and maxWait bound the pause after trouble.
	minWait = 250 * time.Millisecond
	maxWait = 10 * time.Second
)

// errElsewhere means that another receiver has the replay.
var errElsewhere = errors.New("another receiver runs it")

// state is what is saved: what is told, and where to go on.
type state struct {
	route.ReplayProgress
	Cursor string `json:"cursor,omitempty"`
	// IDs counts the named events that were looked at.
	IDs int `json:"ids,omitempty"`
}

// work is one replay.
type work struct {
	runner *Runner
	asked  *route.Replay
	cancel context.CancelFunc

	limiter *rate.Limiter
	woken   map[string]bool
	unsaved int
	savedAt time.Time

	mu    sync.Mutex
	state state
}

func (w *work) stop() {
	if w.cancel != nil {
		w.cancel()
	}
}

func (w *work) progress() route.ReplayProgress {
	w.mu.Lock()
	defer w.mu.Unlock()
	progress := w.state.ReplayProgress
	progress.UID = w.asked.UID
	return progress
}

// update changes the state, which others read.
func (w *work) update(change func(*state)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(&w.state)
}

// run tries until the replay is finished, here or elsewhere.
func (w *work) run(ctx context.Context) {
	w.limiter = rate.NewLimiter(rate.Inf, 1)
	if w.asked.EventsPerSecond > 0 {
		w.limiter = rate.NewLimiter(rate.Limit(w.asked.EventsPerSecond), 1)
	}
	for wait := minWait; ; {
		finished, err := w.try(ctx)
		if finished || ctx.Err() != nil {
			return
		}
		pause := lookAgain
		if !errors.Is(err, errElsewhere) {
			w.runner.options.Logger.Warn("Replay cannot go on and is tried again", "replay", w.asked.UID, "error", err)
			w.update(func(s *state) { s.Error = err.Error() })
			pause, wait = wait, min(2*wait, maxWait)
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// try takes the replay and goes on from where it was left.
func (w *work) try(ctx context.Context) (finished bool, err error) {
	saved, taken, err := w.runner.options.Store.TakeJob(ctx, w.job(), w.hold())
	if err != nil {
		return false, err
	}
	if err := w.restore(saved); err != nil {
		return false, err
	}
	switch {
	case !w.progress().FinishedAt.IsZero():
		return true, nil
	case !taken:
		return false, errElsewhere
	}
	targets, loaded := w.runner.options.Targets(w.asked.EndpointUID)
	if !loaded {
		return false, errors.New("the endpoint is not loaded")
	}
	if len(w.asked.EventIDs) > 0 {
		err = w.replayNamed(ctx, targets)
	} else {
		err = w.replayListed(ctx, targets)
	}
	if err != nil {
		return false, errors.Join(err, w.saveAnyway(ctx))
	}
	w.update(func(s *state) { s.FinishedAt = w.runner.options.Now().UTC() })
	if err := w.save(ctx); err != nil {
		w.update(func(s *state) { s.FinishedAt = time.Time{} })
		return false, err
	}
	return true, nil
}

// restore reads the saved state; that of a new replay is its beginning.
func (w *work) restore(saved []byte) error {
	next := state{}
	if len(saved) > 0 {
		if err := json.Unmarshal(saved, &next); err != nil {
			return fmt.Errorf("saved state does not decode: %w", err)
		}
	} else {
		next.StartedAt = w.runner.options.Now().UTC()
	}
	w.woken, w.unsaved, w.savedAt = map[string]bool{}, 0, w.runner.options.Now()
	w.update(func(s *state) { *s = next })
	return nil
}

func (w *work) job() queue.Job {
	return queue.Job{EndpointUID: w.asked.EndpointUID, ID: w.asked.UID}
}

func (w *work) hold() queue.Hold {
	return queue.Hold{Owner: w.runner.owner, For: hold, Keep: kept}
}

// saveAnyway keeps what was done before trouble, which may be the store's own.
func (w *work) saveAnyway(ctx context.Context) error {
	if w.unsaved == 0 {
		return nil
	}
	return w.save(context.WithoutCancel(ctx))
}

// saveNow and then; what is not saved may be done once more after a crash.
func (w *work) saveNow(ctx context.Context) error {
	w.unsaved++
	if w.unsaved < saveEvents && w.runner.options.Now().Sub(w.savedAt) < saveInterval {
		return nil
	}
	return w.save(ctx)
}

func (w *work) save(ctx context.Context) error {
	var queues []queue.ID
	for target := range w.woken {
		queues = append(queues, queue.ID{EndpointUID: w.asked.EndpointUID, Target: target})
	}
	w.runner.options.Wake(queues...)
	w.mu.Lock()
	w.state.Error = ""
	data, err := json.Marshal(w.state)
	w.mu.Unlock()
	if err != nil {
		return err
	}
	if err := w.runner.options.Store.SaveJob(ctx, w.job(), w.hold(), data); errors.Is(err, queue.ErrLeaseLost) {
		return errElsewhere
	} else if err != nil {
		return err
	}
	w.woken, w.unsaved, w.savedAt = map[string]bool{}, 0, w.runner.options.Now()
	return nil
}

// enough says whether the limit is reached.
func (w *work) enough() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	done := w.state.Replayed
	if w.asked.DryRun {
		done = w.state.Matched
	}
	return w.asked.Limit > 0 && done >= w.asked.Limit
}

// selected are the targets at which the event is to be replayed.
func (w *work) selected(summary *queue.Summary, targets []string) []string {
	status := queue.StatusDead
	if w.asked.Delivered {
		status = queue.StatusDelivered
	}
	var names []string
	if w.asked.Delivered && summary.Status != queue.StatusDelivered ||
		!w.asked.Selects(summary.ID, summary.Type, summary.ReceivedAt) {
		return nil
	}
	for _, target := range summary.Targets {
		if target.Status == status && w.asked.SelectsTarget(target.Target) && slices.Contains(targets, target.Target) {
			names = append(names, target.Target)
		}
	}
	return names
}
