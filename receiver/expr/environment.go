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
	varMethod          = "method"
	varPath            = "path"
	varQuery           = "query"
	varHeaders         = "headers"
	varBody            = "body"
	varForm            = "form"
	varBodySHA256      = "bodySHA256"
	varEventID         = "event.id"
	varEventType       = "event.type"
	varEventSource     = "event.source"
	varEventReceivedAt = "event.receivedAt"
	varClaims          = "claims"
)

// scope is what the expressions of one kind may use.
type scope struct {
	env func() (*cel.Env, error)
	// variables is how error messages name the variables.
	variables string
}

// The scopes. The type and the key of an event are found before there is an
// event, so that they see the request alone.
var (
	ofRequest = scope{sync.OnceValues(requestEnvironment), "method, path, query, headers, body, form and bodySHA256"}
	ofEvent   = scope{
		sync.OnceValues(eventEnvironment),
		"event, method, path, query, headers, body, form and bodySHA256",
	}
	ofClaims = scope{sync.OnceValues(claimsEnvironment), "claims"}
)

func requestEnvironment() (*cel.Env, error) {
	env, err := library()
	if err != nil {
		return nil, err
	}
	lists := cel.MapType(cel.StringType, cel.ListType(cel.StringType))
	return env.Extend(
		cel.Variable(varMethod, cel.StringType),
		cel.Variable(varPath, cel.StringType),
		cel.Variable(varQuery, lists),
		cel.Variable(varHeaders, cel.MapType(cel.StringType, cel.StringType)),
		cel.Variable(varBody, cel.DynType),
		cel.Variable(varForm, lists),
		cel.Variable(varBodySHA256, cel.StringType),
	)
}

func eventEnvironment() (*cel.Env, error) {
	env, err := ofRequest.env()
	if err != nil {
		return nil, err
	}
	return env.Extend(
		cel.Variable(varEventID, cel.StringType),
		cel.Variable(varEventType, cel.StringType),
		cel.Variable(varEventSource, cel.StringType),
		cel.Variable(varEventReceivedAt, cel.TimestampType),
	)
}

func claimsEnvironment() (*cel.Env, error) {
	env, err := library()
	if err != nil {
		return nil, err
	}
	return env.Extend(cel.Variable(varClaims, cel.MapType(cel.StringType, cel.DynType)))
}

// library is what all expressions may use. It is built once: declaring the
// standard library takes longer than compiling an expression.
var library = sync.OnceValues(func() (*cel.Env, error) {
	options := []cel.EnvOption{
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
