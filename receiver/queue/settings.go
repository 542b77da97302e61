package queue

import (
	"context"
	"fmt"
	"strings"

	"github.com/redis/rueidis"
)

// Setting is one setting of the store that does not keep what a 2xx promises.
type Setting struct {
	// Node is the server that has the setting.
	Node string
	Name string
	// Value is what it is; Want is what it must be.
	Value string
	Want  string
	// Reason says what can go wrong otherwise.
	Reason string
}

// String says what to change.
func (s Setting) String() string {
	return fmt.Sprintf("%s is %q on %s, set it to %q: %s", s.Name, s.Value, s.Node, s.Want, s.Reason)
}

// SettingsError says that the store is reachable but would not keep its promise.
type SettingsError struct {
	Wrong []Setting
}

// Error lists every wrong setting.
func (e *SettingsError) Error() string {
	lines := make([]string, len(e.Wrong))
	for i, setting := range e.Wrong {
		lines[i] = setting.String()
	}
	return "the store is not durable: " + strings.Join(lines, "; ")
}

// durableSettings are what the store must have; see docs/store.md.
var durableSettings = []Setting{
	{Name: "appendonly", Want: "yes", Reason: "without the append-only file a restart loses everything"},
	{Name: "appendfsync", Want: "always", Reason: "otherwise the last seconds of acknowledged events can be lost"},
	{Name: "no-appendfsync-on-rewrite", Want: "no", Reason: "otherwise nothing is synced while the file is rewritten"},
	{Name: "maxmemory-policy", Want: "noeviction", Reason: "otherwise a full store drops events"},
}

// checkNode compares the settings of one server.
func checkNode(ctx context.Context, address string, node rueidis.Client) ([]Setting, error) {
	names := make([]string, len(durableSettings))
	for i, setting := range durableSettings {
		names[i] = setting.Name
	}
	values, err := node.Do(ctx, node.B().ConfigGet().Parameter(names...).Build()).AsStrMap()
	if err != nil {
		return nil, fmt.Errorf("reading the settings of the store "+
			"(CONFIG GET must be permitted, or weak durability be accepted): %w", err)
	}
	var wrong []Setting
	for _, setting := range durableSettings {
		if setting.Value = values[setting.Name]; setting.Value != setting.Want {
			setting.Node = address
			wrong = append(wrong, setting)
		}
	}
	return wrong, nil
}
