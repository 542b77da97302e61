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

// serverInfo is what the store says about itself.
type serverInfo struct {
	runID         string
	usedRatio     float64
	aofWriteError bool
	primary       bool
	replicas      int
}

// askInfo reads what must be watched all the time, in one round trip.
func askInfo(ctx context.Context, node rueidis.Client) (serverInfo, error) {
	text, err := node.Do(ctx, node.B().Info().Section("server", "memory", "persistence", "replication").Build()).ToString()
	if err != nil {
		return serverInfo{}, err
	}
	return parseInfo(text), nil
}

func parseInfo(text string) serverInfo {
	var info serverInfo
	var used, limit float64
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch name {
		case "run_id":
			info.runID = value
		case "used_memory":
			_, _ = fmt.Sscan(value, &used) // 0 when it is not a number
		case "maxmemory":
			_, _ = fmt.Sscan(value, &limit)
		case "aof_last_write_status":
			info.aofWriteError = value != "ok"
		case "role":
			info.primary = value == "master"
		case "connected_slaves":
			_, _ = fmt.Sscan(value, &info.replicas)
		}
	}
	if limit > 0 {
		info.usedRatio = used / limit
	}
	return info
}
