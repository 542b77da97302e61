package report

import (
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/postern-dev/postern/test/chaos/history"
)

const (
	// Size of the drawing, in its own units.
	chartWidth  = 1000
	chartHeight = 240
	// points bounds what a curve is made of.
	points = 500
)

// timeline counts by the second.
type timeline struct {
	begin   int64
	seconds []second
	bands   []band
	open    map[int]int
}

// second is what happened in one.
type second struct {
	acks, deliveries, refusals int
	// pending is the last depth known.
	pending float64
}

// band is the time of a fault, in nanoseconds from the begin.
type band struct {
	title      string
	begin, end int64
}

// watch passes records on and notes what the drawing needs.
func (t *timeline) watch(records iter.Seq2[history.Record, error]) iter.Seq2[history.Record, error] {
	return func(yield func(history.Record, error) bool) {
		for record, err := range records {
			if err == nil {
				t.note(&record)
			}
			if !yield(record, err) {
				return
			}
		}
	}
}

func (t *timeline) note(r *history.Record) {
	if t.begin == 0 {
		t.begin = r.At
	}
	now := t.at(r.At)
	switch {
	case r.Response != nil && succeeded(r.Response.Code):
		now.acks++
	case r.Response != nil:
		now.refusals++
	case r.Receive != nil && succeeded(r.Receive.Code):
		now.deliveries++
	case r.Sample != nil:
		if pending, ok := r.Sample.Values[history.ValuePending]; ok {
			now.pending = pending
		}
	case r.Fault != nil:
		t.fault(r.At-t.begin, r.Fault)
	}
}

func succeeded(code int) bool { return code >= 200 && code <= 299 }

// at returns the second of a moment; a new one begins with the depth of the last.
func (t *timeline) at(moment int64) *second {
	index := int((moment - t.begin) / int64(time.Second))
	for len(t.seconds) <= index {
		next := second{}
		if n := len(t.seconds); n > 0 {
			next.pending = t.seconds[n-1].pending
		}
		t.seconds = append(t.seconds, next)
	}
	return &t.seconds[index]
}

func (t *timeline) fault(at int64, f *history.Fault) {
	if t.open == nil {
		t.open = map[int]int{}
	}
	if i, ok := t.open[f.N]; ok && f.Phase == history.End {
		t.bands[i].end = at
		delete(t.open, f.N)
		return
	}
	if f.Phase == history.Begin {
		t.open[f.N] = len(t.bands)
	}
	t.bands = append(t.bands, band{title: strings.TrimSpace(f.Kind + " " + f.Who + " " + f.Detail), begin: at, end: at})
}

// curve is one line of the drawing.
type curve struct {
	Name, Class, Path string
	Top               string
}

// curves scales each line to its own highest value.
func (t *timeline) curves() []curve {
	step := max((len(t.seconds)+points-1)/points, 1)
	rate := func(of func(second) int) func([]second) float64 {
		return func(part []second) float64 {
			sum := 0
			for _, s := range part {
				sum += of(s)
			}
			return float64(sum) / float64(len(part))
		}
	}
	return []curve{
		t.curve("acknowledged a second", "acks", step, rate(func(s second) int { return s.acks })),
		t.curve("delivered a second", "deliveries", step, rate(func(s second) int { return s.deliveries })),
		t.curve("refused or unanswered a second", "refusals", step, rate(func(s second) int { return s.refusals })),
		t.curve("pending", "pending", step, func(part []second) float64 {
			most := 0.0
			for _, s := range part {
				most = max(most, s.pending)
			}
			return most
		}),
	}
}

func (t *timeline) curve(name, class string, step int, value func([]second) float64) curve {
	var values []float64
	top := 1.0
	for from := 0; from < len(t.seconds); from += step {
		v := value(t.seconds[from:min(from+step, len(t.seconds))])
		values = append(values, v)
		top = max(top, v)
	}
	var path strings.Builder
	for i, v := range values {
		fmt.Fprintf(&path, "%.1f,%.1f ", t.x(int64(i*step)*int64(time.Second)), chartHeight*(1-v/top))
	}
	return curve{Name: name, Class: class, Path: strings.TrimSpace(path.String()), Top: fmt.Sprintf("%.0f", top)}
}

// x is the place of a moment, in nanoseconds from the begin.
func (t *timeline) x(at int64) float64 {
	return chartWidth * float64(at) / float64(max(len(t.seconds), 1)) / float64(time.Second)
}
