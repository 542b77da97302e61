package kube

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// saveEvery is how often the snapshot may be written: with thousands of routes
// it takes longer than a change may take to have effect. A process that is
// killed leaves one that is no older.
const saveEvery = 2 * time.Second

// saver writes snapshots beside the hot path, the latest set of those that come
// in.
type saver struct {
	snapshot snapshot
	log      *slog.Logger

	mu      sync.Mutex
	latest  snapshotContent
	unsaved chan struct{}
	ended   chan struct{}
}

// startSaver begins to write, until ctx ends.
func startSaver(ctx context.Context, s snapshot, log *slog.Logger) *saver {
	v := &saver{snapshot: s, log: log, unsaved: make(chan struct{}, 1), ended: make(chan struct{})}
	go v.run(ctx)
	return v
}

// wait returns when the last snapshot is written.
func (v *saver) wait() { <-v.ended }

// run writes until ctx ends, and then once more what is unsaved.
func (v *saver) run(ctx context.Context) {
	defer close(v.ended)
	for {
		select {
		case <-v.unsaved:
			v.save()
		case <-ctx.Done():
			select {
			case <-v.unsaved:
				v.save()
			default:
			}
			return
		}
		pause(ctx, saveEvery)
	}
}

// keep has the content written soon.
func (v *saver) keep(content snapshotContent) {
	v.mu.Lock()
	v.latest = content
	v.mu.Unlock()
	select {
	case v.unsaved <- struct{}{}:
	default: // one is asked for already
	}
}

func (v *saver) save() {
	v.mu.Lock()
	content := v.latest
	v.mu.Unlock()
	if err := v.snapshot.save(content); err != nil {
		v.log.Warn("Route snapshot was not written", "directory", v.snapshot.dir, "error", err)
	}
}
