package events

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/postern-dev/postern/cli/exit"
	"github.com/postern-dev/postern/receiver/queue"
)

// selection are the flags that choose events.
type selection struct {
	status string
	kind   string
	target string
	since  string
	limit  int
}

var statuses = []string{string(queue.StatusPending), string(queue.StatusDelivered), string(queue.StatusDead)}

func (s *selection) bind(flags *pflag.FlagSet, listing bool) {
	limitHelp := "at most `N` dead letters (default all)"
	if listing {
		flags.StringVar(&s.status, "status", "", "only `STATUS`: "+strings.Join(statuses, ", "))
		limitHelp = "at most `N` events of an endpoint"
		s.limit = 100
	}
	flags.StringVar(&s.kind, "type", "", "only events of `TYPE`, in which * stands for any characters")
	flags.StringVar(&s.target, "target", "", "only events for the target `NAME`")
	flags.StringVar(&s.since, "since", "", "only changes since `TIME`: 2006-01-02T15:04:05Z, or ago as in 1h30m")
	flags.IntVar(&s.limit, "limit", s.limit, limitHelp)
}

func (s *selection) check() error {
	if s.status != "" && !slices.Contains(statuses, s.status) {
		return exit.Usagef("--status: %q is none of %s", s.status, strings.Join(statuses, ", "))
	}
	if s.limit < 0 {
		return exit.Usagef("--limit: %d must not be negative", s.limit)
	}
	if s.since == "" {
		return nil
	}
	if _, err := time.Parse(time.RFC3339, s.since); err == nil {
		return nil
	}
	if ago, err := time.ParseDuration(s.since); err != nil || ago < 0 {
		return exit.Usagef("--since: %q is neither a time such as 2006-01-02T15:04:05Z nor a duration such as 1h", s.since)
	}
	return nil
}

// query is the selection as the internal API takes it.
func (s *selection) query(endpoint string) url.Values {
	query := url.Values{"endpoint": {endpoint}}
	for name, value := range map[string]string{
		"status": s.status, "type": s.kind, "target": s.target, "since": s.since,
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if s.limit > 0 {
		query.Set("limit", strconv.Itoa(s.limit))
	}
	return query
}
