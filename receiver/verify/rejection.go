package verify

import (
	"fmt"
	"strings"
)

// Reason is why a request was refused: the word in the answer, the log and the metric.
type Reason string

// Reasons.
const (
	SignatureMissing        Reason = "signature_missing"
	SignatureMalformed      Reason = "signature_malformed"
	SignatureMismatch       Reason = "signature_mismatch"
	TimestampMissing        Reason = "timestamp_missing"
	TimestampOutOfTolerance Reason = "timestamp_out_of_tolerance"
)

// Rejection is the error of a request that failed verification.
type Rejection struct {
	Reason Reason
	// Detail is a sentence for people; it never carries key material.
	Detail string
}

// Error returns reason and detail.
func (r *Rejection) Error() string {
	if r.Detail == "" {
		return string(r.Reason)
	}
	return string(r.Reason) + ": " + r.Detail
}

// refuse returns a rejection as an error.
func refuse(reason Reason, detail string) error {
	return &Rejection{Reason: reason, Detail: detail}
}

func refusef(reason Reason, format string, args ...any) error {
	return refuse(reason, fmt.Sprintf(format, args...))
}

// fromOptions begins the names of keys that stand in source.options.
const fromOptions = "options."

// KeyError says that a key of the Secret cannot be a key of the source.
type KeyError struct {
	// Key is the name within the Secret.
	Key string
	// Problem is the rest of the sentence; it never carries key material.
	Problem string
}

// Error names the key and says what is wrong with it.
func (e *KeyError) Error() string { return fmt.Sprintf("key %q of the Secret %s", e.Key, e.Problem) }

// badKey is a KeyError, or for keys that stand in an option an error that names
// the option.
func badKey(name, format string, args ...any) error {
	if option, ok := strings.CutPrefix(name, fromOptions); ok {
		return fmt.Errorf("source.options.%s: %s", option, fmt.Sprintf(format, args...))
	}
	return &KeyError{Key: name, Problem: fmt.Sprintf(format, args...)}
}
