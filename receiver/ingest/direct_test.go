package ingest_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postern-dev/postern/receiver/event"
	"github.com/postern-dev/postern/receiver/ingest"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/route/routetest"
	"github.com/postern-dev/postern/receiver/table"
)

// slowTarget answers with its status once it is opened.
type slowTarget struct {
	status int
	open   chan struct{}
	calls  atomic.Int64
}

func (s *slowTarget) Reserve([]queue.ID, int64) (ingest.Reservation, bool) { return nil, false }
func (s *slowTarget) Wake(...queue.ID)                                     {}

func (s *slowTarget) Direct(context.Context, *event.Event, string) (*ingest.Response, error) {
	s.calls.Add(1)
	<-s.open
	return &ingest.Response{Status: s.status, Body: []byte("own words")}, nil
}

// copies sends so many copies of an event to an endpoint that delivers directly
// and returns, once the target was opened after the given time, the answers.
func copies(t *testing.T, target *slowTarget, n int, after time.Duration) []*httptest.ResponseRecorder {
	t.Helper()
	endpoint := routetest.GitHub("hook", func(e *route.Endpoint) { e.Delivery = route.DeliveryDirect })
	current := table.Build([]*route.Endpoint{endpoint}, nil)
	store := queue.NewMemory(queue.MemoryOptions{})
	handler := ingest.New(ingest.Options{
		Tables: func() *table.Table { return current }, Store: store, Marks: store, Deliverer: target,
	})
	answers := make([]*httptest.ResponseRecorder, n)
	var senders sync.WaitGroup
	for i := range answers {
		answers[i] = httptest.NewRecorder()
		senders.Go(func() {
			request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/ci/hook", bytes.NewReader(payload))
			routetest.SignGitHub(request.Header, routetest.Key, "same", "push", payload)
			handler.ServeHTTP(answers[i], request)
		})
	}
	synctest.Wait() // all are here, and wait for the first
	<-time.After(after)
	close(target.open)
	senders.Wait()
	return answers
}

// TestDirectCopiesShareTheOutcome: they are one event, whether its target takes
// it or not.
func TestDirectCopiesShareTheOutcome(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]map[int]int{
		http.StatusCreated:             {201: 1, 200: 199},
		http.StatusUnprocessableEntity: {422: 200},
	} {
		synctest.Test(t, func(t *testing.T) {
			target := &slowTarget{status: status, open: make(chan struct{})}
			got := map[int]int{}
			for _, answer := range copies(t, target, 200, time.Second) {
				got[answer.Code]++
			}
			for code, times := range want {
				if got[code] != times {
					t.Errorf("a target that says %d: answers are %v, want %v", status, got, want)
				}
			}
			if calls := target.calls.Load(); calls != 1 {
				t.Errorf("a target that says %d was called %d times, want once", status, calls)
			}
		})
	}
}

func TestDirectCopiesDoNotWaitForEver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		target := &slowTarget{status: http.StatusOK, open: make(chan struct{})}
		refused := 0
		for _, answer := range copies(t, target, 5, 10*time.Second) {
			if answer.Code == http.StatusServiceUnavailable {
				refused++
			}
		}
		if refused != 4 || target.calls.Load() != 1 {
			t.Errorf("%d refused and %d calls, want all copies but the first refused", refused, target.calls.Load())
		}
	})
}
