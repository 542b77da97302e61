package expr

import (
	"sync"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/ext"
)

// Limits of one expression.
const (
	// MaxLength bounds the source of an expression, in bytes.
	MaxLength = 2048
	// maxDepth bounds how deep an expression may nest.
	maxDepth = 50
	// maxComprehensions bounds how deep exists, all, map and filter may nest, and
	// how many may follow each other.
	maxComprehensions = 3
	// costLimit bounds one evaluation. A unit is one step or ten bytes of text
	// looked at; the whole limit takes some milliseconds.
	costLimit = 100_000
)

// Names of the variables. The fields of event are variables of their own, which
// has the checker know their types.
const (
	varEventID         = "event.id"
	varEventType       = "event.type"
	varEventSource     = "event.source"
	varEventReceivedAt = "event.receivedAt"
	varHeaders         = "headers"
	varBody            = "body"
)

// environment is what expressions may use. It is built once: declaring the
// standard library takes longer than compiling an expression.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	options := []cel.EnvOption{
		cel.Variable(varEventID, cel.StringType),
		cel.Variable(varEventType, cel.StringType),
		cel.Variable(varEventSource, cel.StringType),
		cel.Variable(varEventReceivedAt, cel.TimestampType),
		cel.Variable(varHeaders, cel.MapType(cel.StringType, cel.StringType)),
		cel.Variable(varBody, cel.DynType),
		cel.OptionalTypes(),
		cel.CrossTypeNumericComparisons(true),
		cel.DefaultUTCTimeZone(true),
		cel.EagerlyValidateDeclarations(true),
		cel.ParserRecursionLimit(maxDepth),
		cel.ParserExpressionSizeLimit(MaxLength),
		cel.ASTValidators(
			cel.ValidateRegexLiterals(),
			cel.ValidateTimestampLiterals(),
			cel.ValidateDurationLiterals(),
			cel.ValidateComprehensionNestingLimit(maxComprehensions),
		),
		ext.Encoders(),
	}
	return cel.NewEnv(append(options, stringFunctions()...)...)
})
