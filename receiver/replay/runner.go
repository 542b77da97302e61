package replay

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/route"
)

// concurrency is how many replays run at once; the others wait their turn.
const concurrency = 4

// Store is what replays need of the store.
type Store interface {
	queue.Inspector
	queue.Replayer
	queue.Ledger
}

// Options configure a [Runner]. Store, Targets and Wake are required.
type Options struct {
	Store Store
	// Targets returns the names of the targets that a loaded endpoint has, or
	// false when no endpoint of that uid is loaded.
	Targets func(endpointUID string) (names []string, loaded bool)
	// Wake tells delivery that queues have events that are due.
	Wake func(queues ...queue.ID)
	// Logger is for people; nil discards.
	Logger *slog.Logger
	// Now tells the time; nil means time.Now.
	Now func() time.Time
}

// Runner runs the replays that it is given.
type Runner struct {
	options Options
	owner   string
	slots   chan struct{}

	mu      sync.Mutex
	running context.Context //nolint:containedctx // that of Run, under which every replay is started
	works   map[string]*work
	wait    sync.WaitGroup
}

// New makes a Runner; nothing is replayed before [Runner.Run].
func New(options Options) *Runner {
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	return &Runner{
		options: options,
		owner:   queue.NewID(),
		slots:   make(chan struct{}, concurrency),
		works:   map[string]*work{},
	}
}

// Run replays until ctx ends and returns when everything has stopped. What is
// unfinished goes on elsewhere, or here after a restart.
func (r *Runner) Run(ctx context.Context) {
	r.mu.Lock()
	r.running = ctx
	for _, w := range r.works {
		r.start(w)
	}
	r.mu.Unlock()
	<-ctx.Done()
	r.wait.Wait()
}

// Set says which replays there are. New ones begin; those that are gone stop
// and are forgotten.
func (r *Runner) Set(replays []*route.Replay) {
	r.mu.Lock()
	defer r.mu.Unlock()
	wanted := map[string]bool{}
	for _, asked := range replays {
		wanted[asked.UID] = true
		if r.works[asked.UID] == nil {
			w := &work{runner: r, asked: asked}
			r.works[asked.UID] = w
			r.start(w)
		}
	}
	for uid, w := range r.works {
		if !wanted[uid] {
			w.stop()
			delete(r.works, uid)
		}
	}
}

// start runs the work if Run does; the caller holds the lock.
func (r *Runner) start(w *work) {
	if r.running == nil || r.running.Err() != nil {
		return
	}
	ctx, cancel := context.WithCancel(r.running)
	w.cancel = cancel
	r.wait.Go(func() {
		defer cancel()
		select {
		case r.slots <- struct{}{}:
			defer func() { <-r.slots }()
			w.run(ctx)
		case <-ctx.Done():
		}
	})
}

// Progress tells how far every replay got, as far as this process knows, by uid.
func (r *Runner) Progress() []route.ReplayProgress {
	r.mu.Lock()
	defer r.mu.Unlock()
	progress := make([]route.ReplayProgress, 0, len(r.works))
	for _, w := range r.works {
		progress = append(progress, w.progress())
	}
	slices.SortFunc(progress, func(a, b route.ReplayProgress) int {
		if a.UID < b.UID {
			return -1
		}
		return 1
	})
	return progress
}
