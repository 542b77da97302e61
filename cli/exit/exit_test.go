package exit_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/postern-dev/postern/cli/exit"
)

func TestStatusAndMessage(t *testing.T) {
	t.Parallel()
	cause := errors.New("no such thing")
	for _, test := range []struct {
		name    string
		err     error
		status  int
		message string
	}{
		{"success", nil, exit.OK, ""},
		{"plain error", cause, exit.Failure, "no such thing"},
		{"usage", exit.Usagef("flag --at: %w", cause), exit.Usage, "flag --at: no such thing"},
		{"wrapped usage", fmt.Errorf("verify: %w", exit.Usagef("bad")), exit.Usage, "verify: bad"},
		{"silent", exit.Silent(exit.Failure), exit.Failure, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := exit.Status(test.err); got != test.status {
				t.Errorf("status is %d, want %d", got, test.status)
			}
			if got := exit.Message(test.err); got != test.message {
				t.Errorf("message is %q, want %q", got, test.message)
			}
		})
	}
	if !errors.Is(exit.Usagef("flag: %w", cause), cause) {
		t.Error("a usage error hides its cause")
	}
}
