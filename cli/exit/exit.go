// Package exit decides with which status the process ends: 0 for success, 1
// when the answer is no (a forged request, a bad manifest, a failed send), 2
// when the question was wrong.
//
// It imports the standard library only; every command imports it.
package exit

import (
	"errors"
	"fmt"
)

// Statuses of the process.
const (
	OK      = 0
	Failure = 1
	Usage   = 2
)

// Error is an error that knows the status it ends the process with.
type Error struct {
	// Status is one of the statuses of this package.
	Status int
	// Err is printed on standard error; nil prints nothing, because the command
	// has said everything on standard output.
	Err error
}

// Error returns the message of the wrapped error.
func (e *Error) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit status %d", e.Status)
	}
	return e.Err.Error()
}

// Unwrap returns the wrapped error.
func (e *Error) Unwrap() error { return e.Err }

// Usagef returns an error for a question that was asked wrongly.
func Usagef(format string, args ...any) error {
	return &Error{Status: Usage, Err: fmt.Errorf(format, args...)}
}

// Silent returns an error that only sets the status.
func Silent(status int) error { return &Error{Status: status} }

// Status returns the status that err ends the process with; an error without
// one is a failure.
func Status(err error) int {
	if err == nil {
		return OK
	}
	if coded, found := errors.AsType[*Error](err); found {
		return coded.Status
	}
	return Failure
}

// Message returns what to print about err; empty when everything is said.
func Message(err error) string {
	if err == nil {
		return ""
	}
	if coded, found := errors.AsType[*Error](err); found && coded.Err == nil {
		return ""
	}
	return err.Error()
}
