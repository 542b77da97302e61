//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/postern-dev/postern/test/e2e/wire"
	"github.com/postern-dev/postern/test/kube"
)

// perSecond is a load that a busy node bears while pods come and go.
const perSecond = 20

// beginLoad sends events to the endpoint until [suite.endLoad].
func (s *suite) beginLoad(t *testing.T, url, endpoint string) {
	t.Helper()
	order, err := json.Marshal(wire.Load{
		URL: url + "/" + namespace + "/" + endpoint, Secret: s.secret, PerSecond: perSecond,
	})
	must(t, err)
	must(t, s.agent("PUT", "load").Body(order).Do(t.Context()).Error())
	s.loadedSince = time.Now()
}

// endLoad returns the ids of what was acknowledged.
func (s *suite) endLoad(t *testing.T) []string {
	t.Helper()
	return s.endLoadOf(t).Acknowledged
}

func (s *suite) endLoadOf(t *testing.T) wire.Loaded {
	t.Helper()
	data, err := s.agent("DELETE", "load").DoRaw(t.Context())
	must(t, err)
	var result wire.Loaded
	must(t, json.Unmarshal(data, &result))
	t.Logf("load of %s: %d events acknowledged; refused and sent again: %v",
		time.Since(s.loadedSince).Round(time.Second), len(result.Acknowledged), result.Refused)
	if len(result.Acknowledged) == 0 {
		t.Error("nothing was acknowledged, so nothing was tested")
	}
	return result
}

// queue sends events that the target, which refuses, does not get yet.
func (s *suite) queue(t *testing.T, name string, count int) []string {
	t.Helper()
	var ids []string
	for i := range count {
		ids = append(ids, s.accept(t, fmt.Sprintf("%s-%d", name, i)))
	}
	return ids
}

// arrived waits until everything that was acknowledged is at the target.
func (s *suite) arrived(t *testing.T, ids []string) {
	t.Helper()
	begin := time.Now()
	must(t, kube.Until(t.Context(), "acknowledged events", patience, func(context.Context) error {
		var missing []string
		events := s.events(t)
		for _, id := range ids {
			if len(events[id]) == 0 {
				missing = append(missing, id)
			}
		}
		if len(missing) > 0 {
			return errors.New(fmt.Sprint(len(missing), " of ", len(ids), " have not arrived, such as ", missing[0]))
		}
		return nil
	}))
	twice := 0
	events := s.events(t)
	for _, id := range ids {
		twice += len(events[id]) - 1
	}
	t.Logf("all %d acknowledged events arrived within %s, %d more than once",
		len(ids), time.Since(begin).Round(100*time.Millisecond), twice)
}
