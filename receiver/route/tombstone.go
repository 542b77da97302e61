package route

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// TombstoneVersion is the version of the tombstones that this build writes.
const TombstoneVersion = 1

// Tombstone ends an endpoint: receivers purge its events. It is one Secret's
// content, as a route is. No endpoint ever gets the UID of another, so that a
// tombstone holds for good.
type Tombstone struct {
	SchemaVersion int    `json:"schemaVersion"`
	UID           string `json:"uid"`
	// Namespace and Name are for people.
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name,omitempty"`
	// DeletedAt is when the endpoint was deleted.
	DeletedAt time.Time `json:"deletedAt"`
}

// Standing is how an endpoint stands at the API server at one moment. Without a
// route and not deleted, it is not known to have ended.
type Standing struct {
	// Route is its route, nil when it has none.
	Route *Endpoint
	// Deleted tells that it has a tombstone.
	Deleted bool
}

// Marshal returns the document: deterministic JSON.
func (t *Tombstone) Marshal() ([]byte, error) {
	data, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("encode tombstone of uid %s: %w", t.UID, err)
	}
	return data, nil
}

// UnmarshalTombstone reads a document. Fields that are not known are ignored:
// none can take back that the endpoint was deleted.
func UnmarshalTombstone(data []byte) (*Tombstone, error) {
	t := &Tombstone{}
	if err := json.Unmarshal(data, t); err != nil {
		return nil, fmt.Errorf("decode tombstone: %w", err)
	}
	if t.SchemaVersion < 1 || t.SchemaVersion > TombstoneVersion {
		return nil, fmt.Errorf("tombstone has schema version %d, this receiver reads version %d: "+
			"upgrade the receiver to the manager's release", t.SchemaVersion, TombstoneVersion)
	}
	if t.UID == "" || t.DeletedAt.IsZero() {
		return nil, errors.New("decode tombstone: uid and deletedAt must be set")
	}
	return t, nil
}
