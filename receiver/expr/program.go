package expr

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// maxResult bounds the text that an expression may return, in bytes.
const maxResult = 4096

// String is a compiled expression that gives a text. It is safe for concurrent use.
type String struct{ program cel.Program }

// Bool is a compiled expression that is true or false. It is safe for concurrent use.
type Bool struct{ program cel.Program }

// CompileString compiles an expression that gives a text. Whole numbers are
// accepted too, because many providers number their events.
func CompileString(source string) (*String, error) {
	program, err := compile(source, cel.StringType, cel.IntType, cel.UintType)
	if err != nil {
		return nil, err
	}
	return &String{program: program}, nil
}

// CompileBool compiles an expression that is true or false.
func CompileBool(source string) (*Bool, error) {
	program, err := compile(source, cel.BoolType)
	if err != nil {
		return nil, err
	}
	return &Bool{program: program}, nil
}

// Eval returns the text; null gives the empty text.
func (s *String) Eval(activation *Activation) (string, error) {
	value, err := eval(s.program, activation)
	if err != nil {
		return "", err
	}
	switch v := value.(type) {
	case types.String:
		if len(v) > maxResult {
			return "", fmt.Errorf("the expression gives a text of %d bytes, more than %d", len(v), maxResult)
		}
		return string(v), nil
	case types.Int:
		return strconv.FormatInt(int64(v), 10), nil
	case types.Uint:
		return strconv.FormatUint(uint64(v), 10), nil
	case types.Null:
		return "", nil
	}
	return "", fmt.Errorf("the expression gives a %s, not a string", value.Type().TypeName())
}

// Eval returns whether the expression is true.
func (b *Bool) Eval(activation *Activation) (bool, error) {
	value, err := eval(b.program, activation)
	if err != nil {
		return false, err
	}
	if v, ok := value.(types.Bool); ok {
		return bool(v), nil
	}
	return false, fmt.Errorf("the expression gives a %s, not true or false", value.Type().TypeName())
}

func eval(program cel.Program, activation *Activation) (ref.Val, error) {
	value, _, err := program.Eval(activation)
	if err == nil {
		return value, nil
	}
	// An error of the library wraps the one that says more.
	if cause := activation.bodyError; cause != nil && errors.Is(err, cause) {
		return nil, cause
	}
	return nil, fmt.Errorf("evaluate expression: %w", err)
}

// compile accepts expressions of one of the given types, and those whose type
// only the event can tell. The first type is the one that errors name.
func compile(source string, accepted ...*cel.Type) (cel.Program, error) {
	if strings.TrimSpace(source) == "" {
		return nil, &Error{Message: "the expression is empty"}
	}
	if len(source) > MaxLength {
		return nil, &Error{Message: fmt.Sprintf("the expression has %d bytes, more than %d", len(source), MaxLength)}
	}
	env, err := environment()
	if err != nil {
		return nil, err
	}
	ast, issues := env.Compile(source)
	if issues.Err() != nil {
		return nil, firstError(issues)
	}
	if !accepts(ast.OutputType(), accepted) {
		return nil, &Error{
			Message: fmt.Sprintf("the expression gives a %s; it must give a %s", ast.OutputType(), accepted[0]),
		}
	}
	if err := checkCost(env, ast); err != nil {
		return nil, err
	}
	return env.Program(ast, limits()...)
}

func accepts(given *cel.Type, accepted []*cel.Type) bool {
	if given.Kind() == types.DynKind {
		return true
	}
	for _, t := range accepted {
		if given.IsExactType(t) {
			return true
		}
	}
	return false
}
