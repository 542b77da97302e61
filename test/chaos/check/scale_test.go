package check_test

import (
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/postern-dev/postern/test/chaos/check"
	"github.com/postern-dev/postern/test/chaos/history"
)

// many yields a run of n events, each sent, accepted and delivered twice by
// target, without keeping them.
func many(n int) iter.Seq2[history.Record, error] {
	head := healthy()
	return func(yield func(history.Record, error) bool) {
		for record, err := range head.all() {
			if !yield(record, err) {
				return
			}
		}
		for i := range n {
			h := &synthetic{}
			h.event(int64(1000+i), fmt.Sprintf("event-%09d", i))
			for _, record := range h.records {
				if !yield(record, nil) {
					return
				}
			}
		}
	}
}

func TestALongHistory(t *testing.T) {
	t.Parallel()
	const events = 20_000
	result, err := check.Check(many(events))
	if err != nil {
		t.Fatal(err)
	}
	if !result.OK() || result.Figures.Acknowledged != events+1 || result.Figures.Delivered != 2*(events+1) {
		t.Errorf("figures are %+v", result.Figures)
	}
	if p50 := result.Figures.Acks.P50; p50 < 950*time.Microsecond || p50 > 1050*time.Microsecond {
		t.Errorf("the median of acknowledgements of 1 ms is %v", p50)
	}
}

func BenchmarkCheck(b *testing.B) {
	b.ReportAllocs()
	if _, err := check.Check(many(b.N)); err != nil {
		b.Fatal(err)
	}
}
