package route

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// ReplayVersion is the version of the replay documents that this build writes.
const ReplayVersion = 1

// Replay asks receivers to make kept events of an endpoint due again, once. It
// is one Secret's content, as a route is.
type Replay struct {
	SchemaVersion int `json:"schemaVersion"`
	// UID identifies the replay, EndpointUID the endpoint whose events it is about.
	UID         string `json:"uid"`
	EndpointUID string `json:"endpointUID"`
	// Delivered replays events of the history instead of dead letters.
	Delivered bool `json:"delivered,omitempty"`
	// ReceivedAfter and ReceivedBefore bound when events were received: not
	// before the former, before the latter; zero is no bound.
	ReceivedAfter  time.Time `json:"receivedAfter,omitzero"`
	ReceivedBefore time.Time `json:"receivedBefore,omitzero"`
	// EventTypes are globs, see [MatchesEventType].
	EventTypes []string `json:"eventTypes,omitempty"`
	// EventIDs and Targets name events and targets; empty means all.
	EventIDs []string `json:"eventIDs,omitempty"`
	Targets  []string `json:"targets,omitempty"`
	// Limit bounds the events that are replayed; 0 is no bound.
	Limit int64 `json:"limit,omitempty"`
	// EventsPerSecond bounds how fast; 0 is no bound.
	EventsPerSecond int32 `json:"eventsPerSecond,omitempty"`
	// DryRun counts what matches and replays nothing.
	DryRun bool `json:"dryRun,omitempty"`
}

// ReplayProgress is how far a replay got, as receivers tell it.
type ReplayProgress struct {
	UID       string    `json:"uid"`
	Matched   int64     `json:"matched"`
	Replayed  int64     `json:"replayed"`
	StartedAt time.Time `json:"startedAt,omitzero"`
	// FinishedAt is zero while it runs.
	FinishedAt time.Time `json:"finishedAt,omitzero"`
	// Error is what keeps it from going on just now; it is tried again.
	Error string `json:"error,omitempty"`
}

// Marshal returns the document: deterministic JSON.
func (r *Replay) Marshal() ([]byte, error) {
	data, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode replay %s: %w", r.UID, err)
	}
	return data, nil
}

// UnmarshalReplay reads a document. Unknown fields are refused: they would
// narrow the selection, and ignoring one would replay too much.
func UnmarshalReplay(data []byte) (*Replay, error) {
	var head struct {
		SchemaVersion int `json:"schemaVersion"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("decode replay: %w", err)
	}
	if head.SchemaVersion < 1 || head.SchemaVersion > ReplayVersion {
		return nil, fmt.Errorf("replay has schema version %d, this receiver reads version %d: "+
			"upgrade the receiver to the manager's release", head.SchemaVersion, ReplayVersion)
	}
	replay := &Replay{}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(replay); err != nil {
		return nil, fmt.Errorf("decode replay: %w", err)
	}
	if replay.UID == "" || replay.EndpointUID == "" {
		return nil, errors.New("decode replay: uid and endpointUID must be set")
	}
	if replay.Limit < 0 || replay.EventsPerSecond < 0 {
		return nil, errors.New("decode replay: limit and eventsPerSecond must not be negative")
	}
	return replay, nil
}

// Selects says whether the replay is about an event that was received then and
// has that id and type.
func (r *Replay) Selects(id, eventType string, receivedAt time.Time) bool {
	switch {
	case !r.ReceivedAfter.IsZero() && receivedAt.Before(r.ReceivedAfter),
		!r.ReceivedBefore.IsZero() && !receivedAt.Before(r.ReceivedBefore),
		!named(r.EventIDs, id):
		return false
	default:
		return MatchesEventType(r.EventTypes, eventType)
	}
}

// SelectsTarget says whether the replay is about that target.
func (r *Replay) SelectsTarget(name string) bool { return named(r.Targets, name) }

// named says whether a list that may be empty, which stands for all, has the name.
func named(list []string, name string) bool { return len(list) == 0 || slices.Contains(list, name) }
