package queue

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postern-dev/postern/receiver/route"
)

// defaultPage is the size of a page when the filter names none; maxPage bounds it.
const (
	defaultPage = 100
	maxPage     = 1000
)

func (f *Filter) limit() int {
	if f.Limit <= 0 {
		return defaultPage
	}
	return min(f.Limit, maxPage)
}

// picks says whether a replay or discard that the filter selects is of that target.
func (f *Filter) picks(target string) bool {
	return (f.Target == "" || f.Target == target) && (f.Among == nil || slices.Contains(f.Among, target))
}

// matches says whether the filter selects the event, the cursor aside.
func (f *Filter) matches(summary *Summary) bool {
	if f.Type != "" && !route.MatchesEventType([]string{f.Type}, summary.Type) || summary.ChangedAt.Before(f.Since) {
		return false
	}
	if f.Status == StatusDelivered && summary.Status != StatusDelivered {
		return false
	}
	return slices.ContainsFunc(summary.Targets, func(target TargetState) bool {
		return (f.Target == "" || f.Target == target.Target) && (f.Status == "" || f.Status == target.Status)
	})
}

// cursor is a place in a listing: after the event with this change and id.
// Times in listings are milliseconds, as the scores in the store are.
type cursor struct {
	millis int64
	id     string
}

// String is the form that parseCursor reads.
func (c *cursor) String() string {
	return strconv.FormatInt(c.millis, 10) + "-" + c.id
}

// Cursor continues a listing after this event.
func (s *Summary) Cursor() string {
	return (&cursor{millis: s.ChangedAt.UnixMilli(), id: s.ID}).String()
}

// parseCursor reads a cursor; the empty one is nil, the start of the listing.
func parseCursor(text string) (*cursor, error) {
	if text == "" {
		return nil, nil
	}
	millis, id, ok := strings.Cut(text, "-")
	at, err := strconv.ParseInt(millis, 10, 64)
	if !ok || err != nil {
		return nil, fmt.Errorf("cursor %q is not one that a listing returned", text)
	}
	return &cursor{millis: at, id: id}, nil
}

// precedes says whether the event comes after the cursor in the listing.
func (c *cursor) precedes(summary *Summary) bool {
	if c == nil {
		return true
	}
	millis := summary.ChangedAt.UnixMilli()
	return millis < c.millis || millis == c.millis && summary.ID < c.id
}

// millisTime turns a score into a time.
func millisTime(millis int64) time.Time {
	return time.UnixMilli(millis).UTC()
}
