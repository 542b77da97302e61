package ingest_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/postern-dev/postern/receiver/ingest"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/route/routetest"
)

// away is a store that cannot be asked.
type away struct{}

func (away) Admit(context.Context, *queue.Admission) (queue.Receipt, error) {
	return queue.Receipt{}, queue.ErrUnavailable
}

// Who looks for an event that the store did not take finds its line by the id
// that the event has when the sender tries again.
func TestRejectionOfAnEventNamesIt(t *testing.T) {
	t.Parallel()
	hook := routetest.GitHub("hook")
	r := newReceiver(t, ingest.Options{Store: away{}}, hook)
	if got := r.do(t, r.push("/ci/hook", "one", payload)); got.status != 503 {
		t.Fatalf("answered %d %s", got.status, got.body)
	}
	var line struct{ Msg, Reason, Endpoint, Event string }
	if err := json.Unmarshal([]byte(r.log.String()), &line); err != nil {
		t.Fatalf("%v in %s", err, r.log)
	}
	again := newReceiver(t, ingest.Options{}, hook)
	id := again.do(t, again.push("/ci/hook", "one", payload)).content["id"]
	if line.Msg != "Rejected request" || line.Reason != "store_unavailable" || line.Endpoint != "ci/hook" || line.Event != id {
		t.Errorf("the line is %+v, want the event %s", line, id)
	}
	if strings.Contains(r.log.String(), "refs/heads") {
		t.Errorf("the log has payload: %s", r.log)
	}
}
