//go:build unix

package logging

import (
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// ToggleOnSignal sets the level to debug at SIGUSR1, and back at the next one,
// until the returned function is called.
func ToggleOnSignal(level *slog.LevelVar, logger *slog.Logger) (stop func()) {
	signals, ended := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, syscall.SIGUSR1)
	usual := level.Level()
	var group sync.WaitGroup
	group.Go(func() {
		for {
			select {
			case <-ended:
				return
			case <-signals:
			}
			if level.Level() == slog.LevelDebug {
				change(level, usual, logger)
			} else {
				usual = level.Level()
				change(level, slog.LevelDebug, logger)
			}
		}
	})
	return func() {
		signal.Stop(signals)
		close(ended)
		group.Wait()
	}
}
