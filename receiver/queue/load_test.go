package queue_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/test/wait"
)

// load admits events from several senders until it is ended. As providers do,
// they send again what was not acknowledged.
type load struct {
	store  *queue.Redis
	uid    string
	cancel context.CancelFunc
	group  sync.WaitGroup

	mu    sync.Mutex
	acked []string
	grown chan struct{}
	// refused counts the answers that were no acknowledgement.
	refused atomic.Int64
}

// startLoad fails the test when the store refuses an event with anything but
// [queue.ErrUnavailable], whatever happens to the servers meanwhile.
func startLoad(t *testing.T, store *queue.Redis, endpointUID string) *load {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	l := &load{store: store, uid: endpointUID, cancel: cancel, grown: make(chan struct{}, 1)}
	for sender := range 8 {
		l.group.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				l.send(ctx, t, fmt.Sprintf("%08x%024x", sender, i))
			}
		})
	}
	t.Cleanup(l.end)
	return l
}

func (l *load) send(ctx context.Context, t *testing.T, id string) {
	for ctx.Err() == nil {
		next := admission(id, 100)
		next.Event.EndpointUID = l.uid
		_, err := l.store.Admit(ctx, next)
		switch {
		case err == nil:
			l.note(id)
			return
		case ctx.Err() == nil && !errors.Is(err, queue.ErrUnavailable):
			t.Errorf("Admit returned %v, want ErrUnavailable for what mends itself", err)
		}
		l.refused.Add(1)
		select {
		case <-time.After(2 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

func (l *load) note(id string) {
	l.mu.Lock()
	l.acked = append(l.acked, id)
	l.mu.Unlock()
	select {
	case l.grown <- struct{}{}:
	default: // somebody is told already
	}
}

// more waits until so many further events are acknowledged.
func (l *load) more(t *testing.T, events int) {
	t.Helper()
	want := l.count() + events
	for l.count() < want {
		select {
		case <-l.grown:
		case <-t.Context().Done():
			t.Fatal("the senders get no further")
		}
	}
}

func (l *load) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acked)
}

func (l *load) end() {
	l.cancel()
	l.group.Wait()
}

// wantKept ends the load and looks for every event that was acknowledged.
func (l *load) wantKept(t *testing.T) {
	t.Helper()
	l.end()
	lost := 0
	for _, id := range l.acked {
		var err error
		wait.For(t, "the store", func() error {
			_, err = l.store.Get(t.Context(), l.uid, id)
			if errors.Is(err, queue.ErrNotFound) {
				return nil
			}
			return err
		})
		if err != nil {
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("%d of %d acknowledged events are lost", lost, len(l.acked))
	}
	t.Logf("%d acknowledged, %d refused, %d lost", len(l.acked), l.refused.Load(), lost)
}
