package dev

import (
	"io"
	"sync"
	"time"

	"github.com/postern-dev/postern/cli/output"
	"github.com/postern-dev/postern/receiver/deliver"
	"github.com/postern-dev/postern/receiver/ingest"
	"github.com/postern-dev/postern/receiver/queue"
)

// journal writes a line for every event. The answer to the sender and the
// attempts at targets are reported apart and in any order; an accepted event
// is written with its attempt, or after a moment without one.
type journal struct {
	format output.Format
	style  style

	mu  sync.Mutex
	out io.Writer
	// waiting are accepted events without an attempt, attempted are those whose
	// attempt came before the answer.
	waiting   map[string]*time.Timer
	attempted map[string]bool
	closed    bool
	// last is the event that was accepted last.
	last line
}

var _ deliver.Observer = (*journal)(nil)

// maxAttempted bounds what is remembered; replays and further targets leave
// entries that nobody asks for.
const maxAttempted = 1024

func newJournal(out io.Writer, format output.Format, colours bool) *journal {
	return &journal{
		format: format, style: style{colours: colours}, out: out,
		waiting: map[string]*time.Timer{}, attempted: map[string]bool{},
	}
}

// close ends the waiting; nothing is written after it.
func (j *journal) close() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.closed = true
	for _, timer := range j.waiting {
		timer.Stop()
	}
}

// answered is told of every answer to a sender.
func (j *journal) answered(result ingest.Result) {
	j.mu.Lock()
	defer j.mu.Unlock()
	said := lineOfAnswer(result)
	if result.Outcome == ingest.OutcomeAccepted {
		j.last = said
	}
	if result.Event == nil || result.Outcome == ingest.OutcomeDuplicate {
		j.write(said)
		return
	}
	if j.attempted[said.ID] {
		delete(j.attempted, said.ID)
		return
	}
	if result.Outcome != ingest.OutcomeAccepted {
		j.write(said)
		return
	}
	j.waiting[said.ID] = time.AfterFunc(patience, func() {
		j.mu.Lock()
		defer j.mu.Unlock()
		if j.waiting[said.ID] != nil {
			delete(j.waiting, said.ID)
			j.write(said)
		}
	})
}

// lastAccepted names the event that was accepted last, if any was.
func (j *journal) lastAccepted() (endpoint, id string, ok bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.last.Endpoint, j.last.ID, j.last.ID != ""
}

// Attempted implements [deliver.Observer].
func (j *journal) Attempted(report deliver.Report) {
	j.mu.Lock()
	defer j.mu.Unlock()
	said := lineOfAttempt(report)
	if timer := j.waiting[said.ID]; timer != nil {
		timer.Stop()
		delete(j.waiting, said.ID)
	} else if report.Attempt == 1 {
		if len(j.attempted) >= maxAttempted {
			clear(j.attempted)
		}
		j.attempted[said.ID] = true
	}
	j.write(said)
}

// Measured implements [deliver.Observer].
func (*journal) Measured(deliver.Ref, queue.Depth) {}

// DeadExpired implements [deliver.Observer].
func (*journal) DeadExpired(deliver.Ref, int) {}

// BreakerChanged implements [deliver.Observer].
func (*journal) BreakerChanged(deliver.Ref, bool) {}

// Removed implements [deliver.Observer].
func (*journal) Removed(deliver.Ref) {}

func (j *journal) write(said line) {
	if j.closed {
		return
	}
	if j.format == output.JSON {
		_ = output.WriteJSONLine(j.out, said)
		return
	}
	_, _ = io.WriteString(j.out, said.text(j.style))
}
