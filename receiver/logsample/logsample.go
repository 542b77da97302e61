// Package logsample keeps a flood of events from becoming a flood of log lines:
// one line for each subject, reason and interval, which tells how many were
// left out since the last.
//
// It imports the standard library only.
package logsample

import (
	"sync"
	"time"
)

// maxSamples bounds the memory; past it everything starts anew.
const maxSamples = 16 << 10

// Sampler decides which lines are written; make one with [New].
type Sampler struct {
	now func() time.Time

	mu      sync.Mutex
	samples map[[2]string]*sample
}

type sample struct {
	next       time.Time
	suppressed int
}

// New returns a sampler that tells the time by now.
func New(now func() time.Time) *Sampler {
	return &Sampler{now: now, samples: map[[2]string]*sample{}}
}

// Take says whether to write the line about a subject for a reason, and how many
// were left out since the last one. One line in every interval is written.
func (s *Sampler) Take(interval time.Duration, subject, reason string) (suppressed int, ok bool) {
	now, key := s.now(), [2]string{subject, reason}
	s.mu.Lock()
	defer s.mu.Unlock()
	entry := s.samples[key]
	if entry == nil {
		if len(s.samples) >= maxSamples {
			clear(s.samples)
		}
		entry = &sample{}
		s.samples[key] = entry
	}
	if now.Before(entry.next) {
		entry.suppressed++
		return 0, false
	}
	suppressed, entry.suppressed = entry.suppressed, 0
	entry.next = now.Add(interval)
	return suppressed, true
}
