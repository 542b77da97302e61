package queue

import "time"

// SetHere gives the client a clock that is not the store's.
func (r *Redis) SetHere(clock func() time.Time) { r.here = clock }

// ForgetMarks and WithHistory are steps of the monitor.
var (
	ForgetMarks = (*Redis).forgetMarks
	WithHistory = (*Redis).withHistory
)
