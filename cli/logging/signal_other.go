//go:build !unix

package logging

import "log/slog"

// ToggleOnSignal does nothing where there is no SIGUSR1.
func ToggleOnSignal(*slog.LevelVar, *slog.Logger) (stop func()) { return func() {} }
