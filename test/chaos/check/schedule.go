package check

import (
	"time"

	"github.com/postern-dev/postern/test/chaos/history"
)

const (
	// early is how much before its time an attempt may come: clocks of store and
	// target are read at different moments.
	early = 50 * time.Millisecond
	// waitsWanted is how many waits a judgement over their mean needs, and
	// waitsJudged the last attempt whose wait is judged.
	waitsWanted = 100
	waitsJudged = 6
	// leastMean is the part of the ceiling that the mean wait must reach. With
	// full jitter it is a half, and delays only add to it; a mean of a hundred
	// below this is seven standard deviations away.
	leastMean = 0.3
)

// waitKey names the waits after the n-th attempt of an endpoint's events.
type waitKey struct {
	endpoint string
	attempt  int32
}

type waits struct {
	count int
	sum   time.Duration
}

// observeAttempt is I5 for one request: not before it is due, with a number
// that grows, and not more often than the policy says.
func (c *checker) observeAttempt(i, position int32, r *history.Record) {
	d, got, began := &c.deliveries[position], r.Receive, r.Began()
	e := &c.events[i]
	c.judged(Schedule)
	if d.done == 0 {
		c.retried(e, d, r)
	}
	if d.attempts > 0 && d.done == 0 {
		if began < d.due-int64(early) {
			c.suspect(i, d, began, "tried before the time that its target asked for,")
		}
		if int32(got.Attempt) <= d.header && !got.Replay {
			c.suspect(i, d, began, "tried under a number that it had before,")
		}
		c.observeWait(e, d, began)
	}
	v, ok := e.endpoint.latest()
	if limit := v.Retry.MaxAttempts; ok && limit > 0 && got.Attempt > limit {
		c.violate(Schedule, Violation{ID: got.ID, Target: got.Target, At: began},
			"attempt %d of at most %d", got.Attempt, limit)
	}
	if got.Attempt < 1 {
		c.violate(Schedule, Violation{ID: got.ID, Target: got.Target, At: began}, "the request has no attempt number")
	}
}

func (c *checker) suspect(i int32, d *delivery, began int64, message string) {
	c.repeats = append(c.repeats, repeat{
		invariant: Schedule, event: i, target: d.target, first: d.began, from: d.began, to: began, message: message,
	})
}

// observeWait adds to the waits between attempts that were answered and failed.
func (c *checker) observeWait(e *event, d *delivery, began int64) {
	if d.code == 0 || d.header < 1 || d.header > waitsJudged {
		return
	}
	key := waitKey{e.endpoint.name, d.header}
	sum, ok := c.waits[key]
	if !ok {
		sum = &waits{}
		c.waits[key] = sum
	}
	sum.count++
	sum.sum += time.Duration(began - d.ended)
}

// afterAttempt notes what the next attempt is judged by.
func (c *checker) afterAttempt(e *event, d *delivery, r *history.Record) {
	got := r.Receive
	d.attempts++
	d.header, d.code, d.began, d.ended = int32(got.Attempt), int16(got.Code), r.Began(), r.At
	d.gone = d.gone || got.Code == 410
	d.due = d.began
	if got.RetryAfter > 0 && !succeeded(got.Code) {
		v, _ := e.endpoint.latest()
		wait := min(int64(got.RetryAfter), v.Retry.MaxBackoffSeconds)
		d.due = d.ended + wait*int64(time.Second)
	}
}

// judgeWaits is I5 for the back-off: chance decides each wait, not their mean.
func (c *checker) judgeWaits() {
	for key, sum := range c.waits {
		v, ok := c.endpointOf(key.endpoint).latest()
		if !ok || sum.count < waitsWanted {
			continue
		}
		c.judged(Schedule)
		ceiling := min(v.Retry.InitialBackoffSeconds<<(key.attempt-1), v.Retry.MaxBackoffSeconds)
		mean := sum.sum / time.Duration(sum.count)
		if least := time.Duration(leastMean * float64(ceiling) * float64(time.Second)); mean < least {
			c.violate(Schedule, Violation{Target: key.endpoint},
				"the mean of %d waits after attempt %d is %v, below %v: the schedule allows up to %d s",
				sum.count, key.attempt, mean, least, ceiling)
		}
	}
}
