// Package wait is how tests wait: for something to be so, and for long enough on
// a machine that does other work.
//
// Tests import it; nothing else does.
package wait

import (
	"errors"
	"testing"
	"time"
)

// Patience bounds every wait, and is the limit to give where one must be given.
// It says nothing of how long anything takes: it is reached only by what never
// comes. A sentinel that was not scheduled for two seconds rests for thirty.
const Patience = 2 * time.Minute

// interval is how often conditions are looked at.
const interval = 10 * time.Millisecond

// For returns once check does without an error, and fails the test with its last
// error when that never comes.
func For(t testing.TB, what string, check func() error) {
	t.Helper()
	end, tick := time.NewTimer(Patience), time.NewTicker(interval)
	defer end.Stop()
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-end.C:
			t.Fatalf("%s: not within %s: %v", what, Patience, err)
		}
	}
}

// Until returns once the condition holds.
func Until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	For(t, what, func() error {
		if !holds() {
			return errors.New("it is not so")
		}
		return nil
	})
}

// Next returns what comes next from a channel.
func Next[T any](t testing.TB, what string, from <-chan T) T {
	t.Helper()
	end := time.NewTimer(Patience)
	defer end.Stop()
	select {
	case next := <-from:
		return next
	case <-end.C:
		t.Fatalf("%s: nothing came within %s", what, Patience)
		panic("unreachable")
	}
}
