package check

import (
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/postern-dev/postern/test/chaos/history"
)

// Figures is what a run amounted to.
type Figures struct {
	Duration time.Duration
	// Events are those of senders whose requests verify; Acknowledged those of
	// them that were answered 2xx, Unknown those without a 2xx that may have been
	// stored even so, Lost those acknowledged that I1 misses.
	Events       int
	Acknowledged int
	Unknown      int
	Lost         int
	// Requests are all that senders made, by what they were told: accepted,
	// duplicate, ignored, a reason of a refusal, or "no answer".
	Requests int
	Answers  map[string]int
	// Forged are the requests that do not verify.
	Forged int
	// Received are all requests of targets; Delivered are events at targets,
	// Repeated second deliveries, and Outside those that no fault excuses.
	Received  int
	Delivered int
	Repeated  int
	Outside   int
	// Failed are attempts that targets did not answer 2xx.
	Failed int
	Dead   int
	// Injected is the number of faults, Faults tells about each kind.
	Injected int
	Faults   map[string]FaultFigures
	// Recovery is the time from the ends of all faults that left a backlog to its
	// first delivery, Tried that until all of it was tried again. Overtaken counts
	// those that did not recover in time because there was a next fault: they are
	// in neither.
	Recovery, Tried Times
	Overtaken       int
	// Acks are times between request and answer, Ages between first request and
	// delivery.
	Acks Times
	Ages Times
	// Peaks are the highest samples, by process and value.
	Peaks map[string]map[string]float64
}

// FaultFigures is what faults of one kind amounted to.
type FaultFigures struct {
	Count int
	// Recovery is the time from their ends to the first delivery of what was
	// acknowledged before, where there was such a backlog.
	Recovery Times
}

// Times sum up durations; quantiles are exact to five percent.
type Times struct {
	Count         int
	P50, P99, Max time.Duration
}

// measures counts on the way.
type measures struct {
	requests, forged, acked, lost, receives, deliveries, repeated, outside, failed, dead int

	answers map[string]int
	acks    *distribution
	ages    *distribution
	peaks   map[string]map[string]float64
}

func newMeasures() measures {
	return measures{
		answers: map[string]int{}, acks: &distribution{}, ages: &distribution{}, peaks: map[string]map[string]float64{},
	}
}

func (m *measures) answered(r *history.Response, took int64) {
	word := r.Status
	switch {
	case r.Error == history.ErrorRefused:
		word = "connection refused"
	case r.Code == 0:
		word = "no answer"
	case word == "":
		word = http.StatusText(r.Code)
	}
	m.answers[word]++
	if r.Code == http.StatusOK {
		m.acks.add(time.Duration(took))
	}
}

func (m *measures) received(got *history.Receive) {
	m.receives++
	if !succeeded(got.Code) {
		m.failed++
	}
}

func (m *measures) delivered(age int64) {
	m.deliveries++
	m.ages.add(time.Duration(age))
}

func (m *measures) peak(process, name string, value float64) {
	values, ok := m.peaks[process]
	if !ok {
		values = map[string]float64{}
		m.peaks[process] = values
	}
	// Names are shared by all samples, not kept with the line that they came from.
	values[strings.Clone(name)] = max(values[name], value)
}

func (c *checker) figures() Figures {
	m := &c.measures
	figures := Figures{
		Duration: time.Duration(c.last - c.first), Acknowledged: m.acked, Lost: m.lost,
		Requests: m.requests, Answers: m.answers, Forged: m.forged, Received: m.receives, Delivered: m.deliveries,
		Repeated: m.repeated, Outside: m.outside, Failed: m.failed, Dead: m.dead, Injected: len(c.windows),
		Faults: map[string]FaultFigures{}, Recovery: c.recovered.first.times(), Tried: c.recovered.tried.times(),
		Overtaken: c.recovered.overtaken, Acks: m.acks.times(), Ages: m.ages.times(), Peaks: m.peaks,
	}
	for i := range c.events {
		e := &c.events[i]
		if !e.verifiable {
			continue
		}
		figures.Events++
		if e.acked == 0 && e.unknown {
			figures.Unknown++
		}
	}
	recoveries := map[string]*distribution{}
	for i := range c.windows {
		w := &c.windows[i]
		if recoveries[w.Kind] == nil {
			recoveries[w.Kind] = &distribution{}
		}
		if w.backlog.events > 0 {
			recoveries[w.Kind].add(time.Duration(w.backlog.first - w.end))
		}
		kind := figures.Faults[w.Kind]
		figures.Faults[w.Kind] = FaultFigures{Count: kind.Count + 1, Recovery: recoveries[w.Kind].times()}
	}
	return figures
}

// distribution counts durations in buckets that grow by five percent from a
// microsecond on.
type distribution struct {
	buckets [600]int
	count   int
	max     time.Duration
}

const growth = 1.05

func (d *distribution) add(took time.Duration) {
	bucket := int(math.Log(max(float64(took)/float64(time.Microsecond), 1)) / math.Log(growth))
	d.buckets[min(bucket, len(d.buckets)-1)]++
	d.count++
	d.max = max(d.max, took)
}

func (d *distribution) times() Times {
	return Times{Count: d.count, P50: d.quantile(0.5), P99: d.quantile(0.99), Max: d.max}
}

func (d *distribution) quantile(q float64) time.Duration {
	left := int(math.Ceil(q * float64(d.count)))
	for bucket, count := range d.buckets {
		if left -= count; left <= 0 && d.count > 0 {
			return min(time.Duration(math.Pow(growth, float64(bucket)+0.5)*float64(time.Microsecond)), d.max)
		}
	}
	return 0
}
