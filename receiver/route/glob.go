package route

import (
	"slices"
	"strings"
)

// MatchesEventType says whether any of the globs matches the event type; no
// globs match everything. A glob knows one wildcard, * for any run of
// characters, dots and slashes included: event types are names, not paths.
func MatchesEventType(globs []string, eventType string) bool {
	return len(globs) == 0 || slices.ContainsFunc(globs, func(glob string) bool { return matchGlob(glob, eventType) })
}

func matchGlob(glob, text string) bool {
	parts := strings.Split(glob, "*")
	if len(parts) == 1 {
		return glob == text
	}
	first, last := parts[0], parts[len(parts)-1]
	if len(text) < len(first)+len(last) || !strings.HasPrefix(text, first) || !strings.HasSuffix(text, last) {
		return false
	}
	text = text[len(first) : len(text)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text = text[i+len(part):]
	}
	return true
}
