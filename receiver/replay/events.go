package replay

import (
	"context"
	"errors"

	"github.com/postern-dev/postern/receiver/queue"
)

// replayListed goes through the listing of dead, or of delivered, events. What
// it replays leaves the listing or moves to its front, which is behind: the
// listing ends.
func (w *work) replayListed(ctx context.Context, targets []string) error {
	filter := queue.Filter{Status: queue.StatusDead, Limit: pageSize}
	if w.asked.Delivered {
		filter.Status = queue.StatusDelivered
	}
	w.mu.Lock()
	filter.Cursor = w.state.Cursor
	w.mu.Unlock()
	for {
		page, err := w.runner.options.Store.List(ctx, w.asked.EndpointUID, filter)
		if err != nil {
			return err
		}
		for i := range page.Events {
			if w.enough() {
				return nil
			}
			summary := &page.Events[i]
			if err := w.replay(ctx, summary, targets); err != nil {
				return err
			}
			w.update(func(s *state) { s.Cursor = summary.Cursor() })
			if err := w.saveNow(ctx); err != nil {
				return err
			}
		}
		if filter.Cursor = page.Next; filter.Cursor == "" {
			return nil
		}
	}
}

// replayNamed goes through the events that are named.
func (w *work) replayNamed(ctx context.Context, targets []string) error {
	w.mu.Lock()
	from := w.state.IDs
	w.mu.Unlock()
	for _, id := range w.asked.EventIDs[min(from, len(w.asked.EventIDs)):] {
		if w.enough() {
			return nil
		}
		record, err := w.runner.options.Store.Get(ctx, w.asked.EndpointUID, id)
		switch {
		case errors.Is(err, queue.ErrNotFound): // what is not kept does not match
		case err != nil:
			return err
		default:
			if err := w.replay(ctx, &record.Summary, targets); err != nil {
				return err
			}
		}
		w.update(func(s *state) { s.IDs++ })
		if err := w.saveNow(ctx); err != nil {
			return err
		}
	}
	return nil
}

// replay makes one event due, if it is selected.
func (w *work) replay(ctx context.Context, summary *queue.Summary, targets []string) error {
	names := w.selected(summary, targets)
	if len(names) == 0 {
		return nil
	}
	due := 0
	if !w.asked.DryRun {
		if err := w.limiter.Wait(ctx); err != nil {
			return err
		}
		var err error
		due, err = w.runner.options.Store.Replay(ctx, w.asked.EndpointUID, summary.ID, names)
		if err != nil && !errors.Is(err, queue.ErrNotFound) {
			return err
		}
		for _, name := range names {
			w.woken[name] = true
		}
	}
	w.update(func(s *state) {
		s.Matched++
		if due > 0 {
			s.Replayed++
		}
	})
	return nil
}
