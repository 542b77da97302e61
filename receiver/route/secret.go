package route

import (
	"encoding/json"
	"fmt"
	"log/slog"
)

const redacted = "[redacted]"

// SecretBytes holds key material. Every textual form of it is redacted; only
// [Endpoint.Marshal] writes the bytes out, for the route document itself.
//
// Package fmt calls no methods on unexported fields: a struct that keeps a
// SecretBytes in one must redact itself.
type SecretBytes []byte

// String returns a fixed placeholder.
func (SecretBytes) String() string { return redacted }

// GoString returns a fixed placeholder.
func (SecretBytes) GoString() string { return redacted }

// Format writes a fixed placeholder whatever the verb.
func (SecretBytes) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue returns a fixed placeholder.
func (SecretBytes) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON returns a fixed placeholder, so that no debug dump of a route
// can leak a key.
func (SecretBytes) MarshalJSON() ([]byte, error) { return json.Marshal(redacted) }
