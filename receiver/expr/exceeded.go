package expr

import (
	"errors"

	"github.com/google/cel-go/interpreter"
)

// Exceeded says whether an evaluation ended at a limit instead of an answer:
// whether the expression holds is not known then. Other errors (a key that the
// body does not have, a body that is not JSON) are answers of a kind.
func Exceeded(err error) bool {
	if errors.Is(err, ErrBodyTooComplex) {
		return true
	}
	cancelled, ok := errors.AsType[interpreter.EvalCancelledError](err)
	return ok && cancelled.Cause == interpreter.CostLimitExceeded
}
