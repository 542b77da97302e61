package fault

import "time"

const (
	// leaseAndLook is a lease of 15 s, and the longest until a receiver asks about
	// a queue that it has nothing of.
	leaseAndLook = 30 * time.Second
	// longestProbe is the longest back-off of a breaker.
	longestProbe = 2 * time.Second
)

// leases are what a receiver leaves behind that shares its store: nobody knows
// that it is gone. With a store of its own the next process ends them at once.
func leases(e *Env) (wait time.Duration, why string) {
	if len(e.World.Receivers) < 2 {
		return 0, ""
	}
	return leaseAndLook, "what a replica had in hand waits for its lease to end, and for another replica to look"
}

// droppedInHand is what edits leave behind.
func droppedInHand(*Env) (wait time.Duration, why string) {
	return leaseAndLook, "what was in hand when its target went away is let go of, and waits for its lease to end"
}

// rolledBack is what a failover leaves behind: results of attempts are not
// confirmed by a replica, as events are.
func rolledBack(*Env) (wait time.Duration, why string) {
	return leaseAndLook, "an event whose attempt the new primary has not heard of is in hand until its lease ends"
}

// probed are targets that fail: their receiver asks only now and then.
func probed(*Env) (wait time.Duration, why string) {
	return longestProbe, "a breaker probes a target that failed once in a back-off"
}
