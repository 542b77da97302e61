package status

import (
	"fmt"
	"time"
)

// Waiting is the error of a step that did its part and waits for others. It is
// no failure: what was found so far is reported, and the object is looked at
// again after a while. What is wrong with a spec is no error at all but a
// problem in the result; every other error is retried with back-off.
type Waiting struct {
	// For says what for, in a few words.
	For string
	// After is when to look again.
	After time.Duration
}

// Error says what is waited for.
func (w *Waiting) Error() string { return fmt.Sprintf("waiting %v for %s", w.After, w.For) }
