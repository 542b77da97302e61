//go:build unix

package logging_test

import (
	"io"
	"log/slog"
	"syscall"
	"testing"
	"time"

	"github.com/postern-dev/postern/cli/logging"
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
		tick, deadline := time.NewTicker(time.Millisecond), time.After(30*time.Second)
		for level.Level() != want {
			select {
			case <-tick.C:
			case <-deadline:
				t.Fatalf("the level is %v, want %v", level.Level(), want)
			}
		}
		tick.Stop()
	}
}
