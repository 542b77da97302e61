package traffic

import (
	"math"
	"time"
)

const (
	// slots times slotLength is the hour that is looked back.
	slots      = 6
	slotLength = 10 * time.Minute
	// buckets grow by growth from 1 ms on; the last one holds everything from
	// about six minutes.
	buckets = 64
	growth  = 1.225
)

// window is a histogram of durations over the last hour. The zero value is empty.
type window struct {
	slots [slots]*slot
}

type slot struct {
	number int64
	counts [buckets]uint32
}

func slotNumber(now time.Time) int64 { return now.Unix() / int64(slotLength.Seconds()) }

func (w *window) add(now time.Time, took time.Duration) {
	number := slotNumber(now)
	place := &w.slots[number%slots]
	if *place == nil || (*place).number != number {
		*place = &slot{number: number}
	}
	(*place).counts[bucketOf(took)]++
}

func bucketOf(took time.Duration) int {
	millis := float64(took) / float64(time.Millisecond)
	if millis <= 1 {
		return 0
	}
	return min(int(math.Ceil(math.Log(millis)/math.Log(growth))), buckets-1)
}

// quantile returns the upper bound of the bucket with the quantile, or false
// when the window is empty.
func (w *window) quantile(now time.Time, q float64) (time.Duration, bool) {
	var sum [buckets]uint64
	var total uint64
	newest := slotNumber(now)
	for _, s := range w.slots {
		if s == nil || s.number <= newest-slots || s.number > newest {
			continue
		}
		for i, count := range s.counts {
			sum[i] += uint64(count)
			total += uint64(count)
		}
	}
	if total == 0 {
		return 0, false
	}
	rank, seen := uint64(math.Ceil(q*float64(total))), uint64(0)
	for i, count := range sum {
		if seen += count; seen >= rank {
			return time.Duration(math.Pow(growth, float64(i)) * float64(time.Millisecond)), true
		}
	}
	return 0, false
}
