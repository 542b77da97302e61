package check

import (
	"errors"
	"iter"
	"slices"

	"github.com/postern-dev/postern/test/chaos/history"
)

// Check judges the records of a history, which come in the order of their
// times. It fails for a history that cannot be read or that has no run.
func Check(records iter.Seq2[history.Record, error]) (*Result, error) {
	c := newChecker()
	for record, err := range records {
		if err != nil {
			return nil, err
		}
		c.observe(&record)
	}
	if c.result.Run.Scenario == "" {
		return nil, errors.New("the history does not say what was run: it has no run record")
	}
	c.finish()
	return c.result, nil
}

// checker is what is known of a history so far.
type checker struct {
	result    *Result
	first     int64
	last      int64
	endpoints map[string]*endpoint
	targets   map[string]*target
	// byNumber are the targets by the number that deliveries have.
	byNumber   []*target
	events     []event
	index      map[string]int32
	types      map[string]string
	deliveries []delivery
	// forged are the requests under way that must not be believed.
	forged map[request]struct{}
	// bodies are those of events whose requests had several.
	bodies  map[int32][]string
	replays map[int32][]int64
	repeats []repeat
	// accepted are acceptances beyond the first, and forgot the times in which marks
	// gave way.
	accepted []acceptance
	forgot   []span
	// misplaced are deliveries to be judged again.
	misplaced []misplaced
	waits     map[waitKey]*waits
	windows   []window
	// healings are the windows that ended, in the order of their ends.
	healings []int32
	// allowances are those of them that allow more time for recovery.
	allowances []int32
	recovered  recoveries
	open       map[int]int
	doubt      doubt
	live       liveness
	truth      truth
	measures   measures
}

func newChecker() *checker {
	c := &checker{
		result:    &Result{},
		endpoints: map[string]*endpoint{},
		targets:   map[string]*target{},
		index:     map[string]int32{},
		types:     map[string]string{},
		forged:    map[request]struct{}{},
		bodies:    map[int32][]string{},
		replays:   map[int32][]int64{},
		waits:     map[waitKey]*waits{},
		open:      map[int]int{},
		truth:     newTruth(),
		measures:  newMeasures(),
		recovered: recoveries{first: &distribution{}, tried: &distribution{}},
	}
	for _, entry := range titles {
		c.result.Verdicts = append(c.result.Verdicts, Verdict{Invariant: entry.invariant, Title: entry.title})
	}
	return c
}

func (c *checker) observe(r *history.Record) {
	if c.first == 0 {
		c.first = r.At
	}
	c.last = max(c.last, r.At)
	switch {
	case r.Send != nil:
		c.observeSend(r.At, r.Send)
	case r.Response != nil:
		c.observeResponse(r.At, r.Response)
	case r.Receive != nil:
		c.observeReceive(r)
	case r.Fault != nil:
		c.observeFault(r.At, r.Fault)
	case r.Endpoint != nil:
		c.observeEndpoint(r.At, r.Endpoint)
	case r.Admin != nil:
		c.observeAdmin(r.At, r.Admin)
	case r.Dead != nil:
		c.observeDead(r.Dead)
	case r.Sample != nil:
		c.observeSample(r.At, r.Sample)
	case r.Scrape != nil:
		c.observeScrape(r.At, r.Scrape)
	case r.Process != nil:
		c.truth.process(r.At, r.Process)
	case r.Run != nil:
		c.result.Run = *r.Run
	}
}

// finish judges what only the whole history tells.
func (c *checker) finish() {
	c.judgeDurability()
	c.judgeMisplaced()
	c.judgeAccepted()
	c.judgeRepeats()
	c.judgeSwallowed()
	c.judgeWaits()
	c.judgeLiveness()
	c.judgeMetrics()
	c.judgeVerdicts()
	c.result.Figures = c.figures()
}

// judgeVerdicts is what keeps a run in which nothing happened from passing.
func (c *checker) judgeVerdicts() {
	for i := range c.result.Verdicts {
		verdict := &c.result.Verdicts[i]
		if verdict.Checked == 0 && c.claims(verdict.Invariant) {
			c.violate(verdict.Invariant, Violation{}, "judged over nothing: the run shows nothing that it could break")
		}
	}
}

// claims tells whether the run has to show something of an invariant.
func (c *checker) claims(invariant Invariant) bool {
	return !slices.Contains(c.result.Run.Unjudged, string(invariant))
}
