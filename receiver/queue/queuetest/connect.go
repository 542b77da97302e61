package queuetest

import (
	"cmp"
	"testing"

	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/test/wait"
)

// stepTimeout is longer than a busy machine makes any step, and shorter than a
// test waits for what only a step that was given up lets go on.
const stepTimeout = wait.Patience / 4

// Connect makes a client of a server, closed at the end of the test. Its steps may
// take long, unless the options say otherwise.
func Connect(t testing.TB, options queue.Options) *queue.Redis {
	t.Helper()
	options.StepTimeout = cmp.Or(options.StepTimeout, stepTimeout)
	store, err := queue.NewRedis(t.Context(), options)
	if err != nil {
		t.Fatalf("connecting to the store: %v", err)
	}
	t.Cleanup(store.Close)
	return store
}
