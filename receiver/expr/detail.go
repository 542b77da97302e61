package expr

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/interpreter"
)

// failure is an error of this package. Its text has nothing of a payload.
type failure struct{ text string }

func (f *failure) Error() string { return f.text }

// fail is the value of a step that failed.
func fail(format string, arguments ...any) ref.Val {
	return types.WrapErr(&failure{fmt.Sprintf(format, arguments...)})
}

// sayable are beginnings of the library's texts that quote no value, or one
// only after a colon.
var sayable = []string{
	"no such key", "no such overload", "index out of bounds", "type conversion error", "division by zero",
	"modulus by zero", "illegal base64 data", "error parsing regexp", "invalid argument",
}

// explain makes an error that may be logged of one that the CEL library returned,
// whose text can quote values: what follows a colon stays if the expression
// itself contains it.
func explain(err error, source string) error {
	if own, ok := errors.AsType[*failure](err); ok {
		return own
	}
	if cancelled, ok := errors.AsType[interpreter.EvalCancelledError](err); ok {
		return &failure{cancelled.Message}
	}
	text := err.Error()
	if !slices.ContainsFunc(sayable, func(start string) bool { return strings.HasPrefix(text, start) }) {
		return &failure{"the expression cannot be evaluated on this event"}
	}
	if kind, value, quotes := strings.Cut(text, ": "); quotes && !strings.Contains(source, value) {
		text = kind
	}
	return &failure{text}
}
