package deliver_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postern-dev/postern/receiver/deliver"
	"github.com/postern-dev/postern/receiver/event"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/route"
)

// answered is one attempt as a target saw it.
type answered struct {
	began, ended time.Time
	number       int
	status       int
	retryAfter   time.Duration
}

// moody is a target that answers by chance, and remembers how.
type moody struct {
	mu     sync.Mutex
	random *rand.Rand
	seen   map[string][]answered
}

func (m *moody) chance(n int) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.random.IntN(n)
}

func (m *moody) Float64() float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.random.Float64()
}

func (m *moody) answer(r *http.Request, _ string) (int, http.Header, error) {
	number, _ := strconv.Atoi(r.Header.Get("Postern-Attempt"))
	a := answered{began: time.Now(), number: number}
	status, header, err := m.choose(r, &a)
	a.status, a.ended = status, time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	id := r.Header.Get("Postern-Event-Id")
	m.seen[id] = append(m.seen[id], a)
	return status, header, err
}

func (m *moody) choose(r *http.Request, a *answered) (int, http.Header, error) {
	asked := time.Duration(m.chance(90)) * time.Second
	switch m.chance(20) {
	case 0:
		return http.StatusOK, nil, nil
	case 1:
		return http.StatusGone, nil, nil
	case 2, 3:
		return 0, nil, hang(r, time.Hour)
	case 4, 5:
		return 0, nil, errors.New("connection reset by peer")
	case 6, 7:
		return http.StatusFound, http.Header{"Location": {"http://elsewhere.example"}}, nil
	case 8, 9, 10:
		a.retryAfter = asked
		return http.StatusTooManyRequests, http.Header{"Retry-After": {strconv.Itoa(int(asked.Seconds()))}}, nil
	case 11, 12, 13:
		date := time.Now().Add(asked).UTC().Truncate(time.Second)
		a.retryAfter = max(0, time.Until(date))
		return http.StatusServiceUnavailable, http.Header{"Retry-After": {date.Format(http.TimeFormat)}}, nil
	case 14, 15:
		return http.StatusBadRequest, nil, nil
	}
	return http.StatusInternalServerError, nil, hang(r, time.Duration(m.chance(3000))*time.Millisecond)
}

// TestEveryAttemptKeepsToTheSchedule: whatever a target answers, each event's
// attempts lie where its endpoint's policy puts them, and it ends for a reason.
func TestEveryAttemptKeepsToTheSchedule(t *testing.T) {
	t.Parallel()
	for seed := range uint64(24) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				target := &moody{random: rand.New(rand.NewPCG(seed, 1)), seen: map[string][]answered{}}
				e := changed(endpoint("ci", "a"), func(e *route.Endpoint) {
					initial := int64(1 + target.chance(10))
					e.Retry = route.Retry{
						InitialBackoffSeconds: initial, MaxBackoffSeconds: initial + int64(target.chance(300)),
						MaxAgeSeconds: int64(60 + target.chance(7200)), MaxAttempts: target.chance(3) * (1 + target.chance(15)),
					}
					e.Targets[0].MaxInFlight = 64
				})
				// No breaker: it may only add to the waits.
				w := newWorld(t, func(o *deliver.Options) { o.BreakerThreshold, o.Rand = 1<<30, target.Float64 }, e)
				w.targets.script(target.answer)
				var events []*event.Event
				for n := range 30 {
					if n%2 == 0 {
						ev, _ := w.admit(e)
						events = append(events, ev)
					} else {
						events = append(events, w.admitUnleased(e))
					}
				}
				pass(time.Duration(e.Retry.MaxAgeSeconds+600) * time.Second)
				for _, ev := range events {
					checkSchedule(t, e.Retry, ev, target.seen[ev.ID], w.state(ev))
				}
			})
		})
	}
}

func checkSchedule(t *testing.T, retry route.Retry, ev *event.Event, attempts []answered, state queue.TargetState) {
	t.Helper()
	longest, age := time.Duration(retry.MaxBackoffSeconds)*time.Second, time.Duration(retry.MaxAgeSeconds)*time.Second
	ceiling := min(time.Duration(retry.InitialBackoffSeconds)*time.Second, longest)
	for n, a := range attempts {
		last := n == len(attempts)-1
		if a.number != n+1 {
			t.Errorf("%s: attempt %d was numbered %d", ev.ID, n+1, a.number)
		}
		if a.began.Sub(ev.ReceivedAt) >= age {
			t.Errorf("%s: attempt %d was made at the age of %v, after the end at %v", ev.ID, n+1, a.began.Sub(ev.ReceivedAt), age)
		}
		if !last && (a.status == http.StatusOK || a.status == http.StatusGone) {
			t.Errorf("%s: attempt %d followed the final answer %d", ev.ID, n+2, a.status)
		}
		if !last {
			wait, asked := attempts[n+1].began.Sub(a.ended), min(a.retryAfter, longest)
			if wait < asked {
				t.Errorf("%s: attempt %d came after %v, the target had asked for %v", ev.ID, n+2, wait, asked)
			}
			// The engine's own delays are well below a second.
			if most := max(ceiling, asked) + time.Second; wait > most {
				t.Errorf("%s: attempt %d came after %v, later than %v", ev.ID, n+2, wait, most)
			}
		}
		ceiling = min(2*ceiling, longest)
	}
	checkEnd(t, retry, ev, attempts, state)
}

func checkEnd(t *testing.T, retry route.Retry, ev *event.Event, attempts []answered, state queue.TargetState) {
	t.Helper()
	final := answered{}
	if len(attempts) > 0 {
		final = attempts[len(attempts)-1]
	}
	right := false
	switch {
	case state.Status == queue.StatusDelivered:
		right = final.status == http.StatusOK
	case state.Status != queue.StatusDead:
	case state.Reason == "gone":
		right = final.status == http.StatusGone
	case state.Reason == "attempts_exhausted":
		right = retry.MaxAttempts > 0 && len(attempts) == retry.MaxAttempts
	case state.Reason == "expired":
		right = retry.MaxAttempts == 0 || len(attempts) < retry.MaxAttempts
	}
	if !right || state.Attempts != len(attempts) {
		t.Errorf("%s ended as %s (%s) with %d attempts stored, %d made, the last with %d; policy %+v",
			ev.ID, state.Status, state.Reason, state.Attempts, len(attempts), final.status, retry)
	}
}

// TestWaitsAreSpreadOverTheWholeBackoff: events that fail together must not
// come back together.
func TestWaitsAreSpreadOverTheWholeBackoff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := changed(endpoint("ci", "a"), func(e *route.Endpoint) {
			e.Retry.InitialBackoffSeconds, e.Targets[0].MaxInFlight = 100, 1000
		})
		random := rand.New(rand.NewPCG(1, 2))
		var mu sync.Mutex
		w := newWorld(t, func(o *deliver.Options) {
			o.BreakerThreshold = 1 << 30
			o.Rand = func() float64 {
				mu.Lock()
				defer mu.Unlock()
				return random.Float64()
			}
		}, e)
		w.targets.reply(http.StatusInternalServerError)
		for range 1000 {
			w.admitUnleased(e)
		}
		synctest.Wait()
		began := time.Now()
		pass(101 * time.Second)
		tenths := make([]int, 11)
		for _, a := range w.targets.at() {
			if a.attempt == 2 {
				tenths[int(a.at.Sub(began)/(10*time.Second))]++
			}
		}
		if slices.Min(tenths[:10]) < 50 || slices.Max(tenths[:10]) > 150 {
			t.Errorf("second attempts in each tenth of the back-off are %v, want about 100 in each", tenths)
		}
	})
}
