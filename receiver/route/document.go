package route

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// document is the stored form: the endpoint and, apart from it, the key
// material that [SecretBytes] keeps out of every other encoding.
type document struct {
	Endpoint
	KeyValues   [][]byte          `json:"keyValues,omitempty"`
	SigningKeys map[string][]byte `json:"signingKeys,omitempty"`
}

// MaxBytes is the largest document that a receiver takes: every one of them
// holds all routes.
const MaxBytes = 64 << 10

// Marshal returns the route document: deterministic JSON, key material included.
func (e *Endpoint) Marshal() ([]byte, error) {
	doc := document{Endpoint: *e}
	for _, key := range e.Keys {
		doc.KeyValues = append(doc.KeyValues, key.Value)
	}
	for _, target := range e.Targets {
		if len(target.SigningKey) == 0 {
			continue
		}
		if doc.SigningKeys == nil {
			doc.SigningKeys = map[string][]byte{}
		}
		doc.SigningKeys[target.Name] = target.SigningKey
	}
	data, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("encode route %s/%s: %w", e.Namespace, e.Name, err)
	}
	return data, nil
}

// Unmarshal reads a route document and validates it. Unknown fields are
// refused: they would be a rule that this build does not enforce.
func Unmarshal(data []byte) (*Endpoint, error) {
	var head struct {
		SchemaVersion int `json:"schemaVersion"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("decode route: %w", err)
	}
	if head.SchemaVersion < SchemaVersion-1 || head.SchemaVersion < 1 || head.SchemaVersion > SchemaVersion {
		return nil, fmt.Errorf("route has schema version %d, this receiver reads version %d: "+
			"upgrade manager and receiver to neighbouring releases", head.SchemaVersion, SchemaVersion)
	}
	var doc document
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&doc); err != nil {
		return nil, fmt.Errorf("decode route: %w", err)
	}
	if len(doc.KeyValues) != len(doc.Keys) {
		return nil, fmt.Errorf("decode route: %d key values for %d keys", len(doc.KeyValues), len(doc.Keys))
	}
	endpoint := doc.Endpoint
	for i := range endpoint.Keys {
		endpoint.Keys[i].Value = doc.KeyValues[i]
	}
	for i := range endpoint.Targets {
		endpoint.Targets[i].SigningKey = doc.SigningKeys[endpoint.Targets[i].Name]
	}
	if err := endpoint.Validate(); err != nil {
		return nil, err
	}
	return &endpoint, nil
}

// Hash identifies the route's content. Key material enters it only as the
// resource versions of the Secrets, so that a published hash changes with every
// rotation and yet helps nobody to guess a key.
func (e *Endpoint) Hash() string {
	data, err := json.Marshal(e)
	if err != nil {
		panic(fmt.Sprintf("route %s/%s does not encode: %v", e.Namespace, e.Name, err))
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16])
}
