package expr

import (
	"fmt"
	"math"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/checker"
)

// Error says what is wrong with an expression, and where.
type Error struct {
	// Line and Column count from 1; 0 means the whole expression.
	Line, Column int
	Message      string
}

// Error returns position and message on one line.
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Message
	}
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
}

// firstError leaves the rest out: what follows a first mistake is mostly noise.
func (s *scope) firstError(issues *cel.Issues) error {
	first := issues.Errors()[0]
	message, _, _ := strings.Cut(strings.Join(strings.Fields(first.Message), " "), " expecting {")
	switch {
	case s == &ofEvent && strings.Contains(message, "undeclared reference to 'event'"):
		message = "event has the fields id, type, source and receivedAt and no others"
	case strings.Contains(message, "undeclared reference"):
		message += "; the expression may use " + s.variables
	}
	if first.Location.Line() < 1 {
		return &Error{Message: message}
	}
	return &Error{Line: first.Location.Line(), Column: first.Location.Column() + 1, Message: message}
}

// checkCost refuses expressions that cost more than is allowed whatever the event.
func checkCost(env *cel.Env, ast *cel.Ast) error {
	estimate, err := env.EstimateCost(ast, unknownSizes{})
	if err != nil {
		return &Error{Message: err.Error()}
	}
	if estimate.Min > costLimit {
		return &Error{
			Message: fmt.Sprintf("the expression costs at least %d steps, more than %d", estimate.Min, costLimit),
		}
	}
	return nil
}

// unknownSizes says that any variable may have any size: what an evaluation
// really costs is bounded when it runs.
type unknownSizes struct{}

// EstimateSize returns the range of every size.
func (unknownSizes) EstimateSize(checker.AstNode) *checker.SizeEstimate {
	return &checker.SizeEstimate{Min: 0, Max: math.MaxUint64}
}

// EstimateCallCost leaves the cost of calls to the library.
func (unknownSizes) EstimateCallCost(string, string, *checker.AstNode, []checker.AstNode) *checker.CallEstimate {
	return nil
}
