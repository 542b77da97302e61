package dataplane

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/route/routetest"
	"github.com/postern-dev/postern/receiver/table"
)

func TestMemoryIsDivided(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	for name, test := range map[string]struct {
		limit, fixed     int64
		routes           int64
		requests, events int64
	}{
		"no limit":          {requests: 128 * mib, events: 128 * mib},
		"no limit, routes":  {routes: 1000 * mib, requests: 128 * mib, events: 128 * mib},
		"the default":       {limit: 432 * mib, requests: 150 * mib, events: 100 * mib},
		"the default, full": {limit: 432 * mib, routes: 200 * mib, requests: 75 * mib, events: 50 * mib},
		"more than that":    {limit: 432 * mib, routes: 900 * mib, requests: 27 * mib, events: 27 * mib},
		"hardly any":        {limit: 32 * mib, requests: 2 * mib, events: 2 * mib},
		"fixed":             {limit: 432 * mib, fixed: mib, requests: mib, events: mib},
	} {
		m := memory{limit: test.limit, fixed: test.fixed}
		requests, events := m.divide(test.routes)
		if requests != test.requests || events != test.events {
			t.Errorf("%s: %d for requests and %d for events, want %d and %d",
				name, requests, events, test.requests, test.events)
		}
	}
}

// TestDivisionIsTold: once, and again when it differs.
func TestDivisionIsTold(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	m := memory{limit: 40 << 20, log: slog.New(slog.NewTextHandler(&log, nil))}
	small := table.Build([]*route.Endpoint{routetest.GitHub("one")}, nil)
	m.divideFor(small)
	m.divideFor(small)
	if got := strings.Count(log.String(), "Divided the memory"); got != 1 {
		t.Errorf("the same division is logged %d times:\n%s", got, &log)
	}
	if !strings.Contains(log.String(), "The memory limit is low") {
		t.Errorf("40 MiB are not said to be few:\n%s", &log)
	}
}
