package events

import (
	"strings"
	"testing"

	"github.com/postern-dev/postern/cli/output"
	"github.com/postern-dev/postern/receiver/event"
	"github.com/postern-dev/postern/receiver/queue"
)

// TestBodyThatIsGone: it must not look like an empty one.
func TestBodyThatIsGone(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	record := &queue.Record{
		Summary: queue.Summary{ID: "1", BodyBytes: 5000, BodyGone: true}, Event: &event.Event{Method: "POST"},
	}
	if err := writeRecord(&text, output.Text, "ci/github", record); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), "The body of 5000 bytes is no longer kept") {
		t.Errorf("the page is\n%s", text.String())
	}
}
