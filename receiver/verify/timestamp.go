package verify

import (
	"strconv"
	"time"

	"github.com/postern-dev/postern/receiver/route"
)

// maxTimestampDigits keeps every accepted number within the range of time.Time.
const maxTimestampDigits = 15

// parseTimestamp reads a signed time. Numbers are plain digits: no sign, no
// space, no fraction.
func parseTimestamp(text string, unit route.TimestampUnit) (time.Time, bool) {
	if unit == route.UnitRFC3339 {
		at, err := time.Parse(time.RFC3339, text)
		return at, err == nil
	}
	if text == "" || len(text) > maxTimestampDigits {
		return time.Time{}, false
	}
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return time.Time{}, false
		}
	}
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, false
	}
	if unit == route.UnitMilliseconds {
		return time.UnixMilli(number), true
	}
	return time.Unix(number, 0), true
}
