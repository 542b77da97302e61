package queue

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
)

// TestStepsShareTheNextCall lets a call stand until more steps have come.
func TestStepsShareTheNextCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		goOn := make(chan struct{})
		var sizes []int
		s := newSharer(func(steps []*step[int]) {
			sizes = append(sizes, len(steps))
			<-goOn
			for _, one := range steps {
				one.work *= 2
			}
		})
		var group sync.WaitGroup
		for i := range sharedSteps + 3 {
			group.Go(func() {
				done, err := s.do(t.Context(), "", "", i, 1)
				if err != nil || done.work != 2*i {
					t.Errorf("step %d came back as %+v with %v", i, done, err)
				}
			})
			synctest.Wait()
		}
		close(goOn)
		group.Wait()
		synctest.Wait()
		if want := []int{1, sharedSteps, 2}; !slices.Equal(sizes, want) {
			t.Errorf("the calls had %v steps, want %v", sizes, want)
		}
		if len(s.lanes) != 0 {
			t.Errorf("%d lanes are left when nothing waits", len(s.lanes))
		}
	})
}

func TestSharedBytesAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		goOn := make(chan struct{})
		var sizes []int
		s := newSharer(func(steps []*step[int]) {
			sizes = append(sizes, len(steps))
			<-goOn
		})
		var group sync.WaitGroup
		for _, bytes := range []int{1, sharedBytes / 2, sharedBytes / 2, 1, 2 * sharedBytes, 1} {
			group.Go(func() {
				if _, err := s.do(t.Context(), "", "", 0, bytes); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		close(goOn)
		group.Wait()
		if want := []int{1, 2, 1, 1, 1}; !slices.Equal(sizes, want) {
			t.Errorf("the calls had %v steps, want %v", sizes, want)
		}
	})
}

// TestGivenUpStepDisturbsNobody: one that waits is not sent any more, one that
// is under way has an unknown outcome, and the others have theirs.
func TestGivenUpStepDisturbsNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		goOn := make(chan struct{})
		failure := errors.New("refused")
		var called []int
		s := newSharer(func(steps []*step[int]) {
			<-goOn
			for _, one := range steps {
				if called = append(called, one.work); one.work == 3 {
					one.err = failure
				}
			}
		})
		impatient, giveUp := context.WithCancel(t.Context())
		want := []error{ErrUnavailable, ErrUnavailable, nil, failure}
		var group sync.WaitGroup
		for i, ctx := range []context.Context{impatient, impatient, t.Context(), t.Context()} {
			group.Go(func() {
				if _, err := s.do(ctx, "", "", i, 1); !errors.Is(err, want[i]) {
					t.Errorf("step %d: %v, want %v", i, err, want[i])
				}
			})
			synctest.Wait()
		}
		giveUp()
		synctest.Wait()
		close(goOn)
		group.Wait()
		if !slices.Equal(called, []int{0, 2, 3}) {
			t.Errorf("steps %v were called, want all but the one that was given up in time", called)
		}
	})
}

// TestGivenUpStepHoldsNothing: it stands in the lane as long as the call before
// it takes, and what it would have sent may be large.
func TestGivenUpStepHoldsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		goOn := make(chan struct{})
		s := newSharer(func([]*step[string]) { <-goOn })
		impatient, giveUp := context.WithCancel(t.Context())
		for _, ctx := range []context.Context{t.Context(), impatient} {
			go func() { _, _ = s.do(ctx, "", "", "a large body", 1) }()
			synctest.Wait()
		}
		giveUp()
		synctest.Wait()
		waiting := s.lanes[""].waiting
		if len(waiting) != 1 || waiting[0].work != "" {
			t.Errorf("%d steps wait, the first with %q", len(waiting), waiting[0].work)
		}
		close(goOn)
	})
}

// TestLanesDoNotWaitForEachOther is what a Cluster needs: a slot whose server is
// slow must not hold up another.
func TestLanesDoNotWaitForEachOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		goOn := make(chan struct{})
		s := newSharer(func(steps []*step[string]) {
			if steps[0].work == "slow" {
				<-goOn
			}
		})
		var group sync.WaitGroup
		group.Go(func() { _, _ = s.do(t.Context(), "slow", "", "slow", 1) })
		synctest.Wait()
		if _, err := s.do(t.Context(), "quick", "", "quick", 1); err != nil {
			t.Error(err)
		}
		close(goOn)
		group.Wait()
	})
}

// TestEndpointsWithNothingUnderWayDoNotWait: a busy endpoint has a call under
// way that takes for ever, and hundreds of steps behind it.
func TestEndpointsWithNothingUnderWayDoNotWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		goOn := map[string]chan struct{}{}
		for _, name := range []string{"busy", "a", "b", "c", "d", "e"} {
			goOn[name] = make(chan struct{})
		}
		var mu sync.Mutex
		var calls [][]string
		s := newSharer(func(steps []*step[string]) {
			var works []string
			for _, one := range steps {
				works = append(works, one.work)
			}
			mu.Lock()
			calls = append(calls, works)
			mu.Unlock()
			<-goOn[steps[0].work]
		})
		var group sync.WaitGroup
		send := func(endpoint string) {
			group.Go(func() {
				if _, err := s.do(t.Context(), "", endpoint, endpoint, 1); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		for range 300 {
			send("busy")
		}
		// Those that come for the first time go at once, as many as may.
		for _, name := range []string{"a", "b", "a", "c", "d", "e"} {
			send(name)
		}
		want := [][]string{{"busy"}, {"a"}, {"b"}, {"c"}, {"d"}}
		if !slices.EqualFunc(calls, want, slices.Equal) {
			t.Errorf("the calls are %v, want %v", calls, want)
		}
		// One that is through may go aside again.
		close(goOn["b"])
		synctest.Wait()
		send("b")
		if last := calls[len(calls)-1]; !slices.Equal(last, []string{"b"}) {
			t.Errorf("the latest call is %v, want the endpoint that was through", last)
		}
		for name, gate := range goOn {
			if name != "b" {
				close(gate)
			}
		}
		group.Wait()
		synctest.Wait()
		if len(s.lanes) != 0 {
			t.Errorf("%d lanes are left when nothing waits", len(s.lanes))
		}
	})
}
