//go:build unix

package logging_test

import (
	"io"
	"log/slog"
	"syscall"
	"testing"

	"github.com/postern-dev/postern/cli/logging"
	"github.com/postern-dev/postern/test/wait"
)

// Not parallel: the signal is the whole process's.
func TestToggleOnSignal(t *testing.T) {
	level := new(slog.LevelVar)
	level.Set(slog.LevelWarn)
	stop := logging.ToggleOnSignal(level, slog.New(slog.NewTextHandler(io.Discard, nil)))
	defer stop()
	for _, want := range []slog.Level{slog.LevelDebug, slog.LevelWarn, slog.LevelDebug} {
		if err := syscall.Kill(syscall.Getpid(), syscall.SIGUSR1); err != nil {
			t.Fatal(err)
		}
		wait.Until(t, "the level is "+want.String(), func() bool { return level.Level() == want })
	}
}
