// Package logging makes the loggers of the commands: JSON for machines, text
// for people, at a level that a flag names.
//
// It imports the standard library and term.
package logging

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"golang.org/x/term"
)

// Formats of log lines.
const (
	FormatJSON = "json"
	FormatText = "text"
	// FormatAuto is text on a terminal and JSON elsewhere.
	FormatAuto = "auto"
)

// Options choose level and format.
type Options struct {
	// Level is debug, info, warn or error; empty means info.
	Level string
	// Format is one of the formats; empty means FormatAuto.
	Format string
	// Running, if set, is given the level and changes it while the process runs.
	Running *slog.LevelVar
}

// New returns a logger that writes to out, or an error that names the flag
// whose value is wrong.
func New(out io.Writer, options Options) (*slog.Logger, error) {
	level := options.Running
	if level == nil {
		level = new(slog.LevelVar)
	}
	if text := options.Level; text != "" {
		parsed, err := parse(text)
		if err != nil {
			return nil, fmt.Errorf("--log-level: %w", err)
		}
		level.Set(parsed)
	}
	settings := &slog.HandlerOptions{Level: level}
	switch options.Format {
	case FormatJSON:
		return slog.New(slog.NewJSONHandler(out, settings)), nil
	case FormatText:
		return slog.New(slog.NewTextHandler(out, settings)), nil
	case FormatAuto, "":
		if terminal(out) {
			return slog.New(slog.NewTextHandler(out, settings)), nil
		}
		return slog.New(slog.NewJSONHandler(out, settings)), nil
	default:
		return nil, fmt.Errorf("--log-format: %q is none of json, text and auto", options.Format)
	}
}

func parse(text string) (slog.Level, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(text)); err != nil || strings.ContainsAny(text, "+-") {
		return level, fmt.Errorf("%q is none of debug, info, warn and error", text)
	}
	return level, nil
}

func terminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
