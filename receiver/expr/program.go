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
type String struct{ compiled }

// Bool is a compiled expression that is true or false. It is safe for concurrent use.
type Bool struct{ compiled }

// Claims is a compiled rule over the claims of a token. It is safe for concurrent use.
type Claims struct{ compiled }

// compiled is a program with the source that its errors may quote.
type compiled struct {
	program cel.Program
	source  string
}

// CompileString compiles an expression over a request that gives a text. Whole
// numbers are accepted too, because many providers number their events.
func CompileString(source string) (*String, error) {
	program, err := compile(&ofRequest, source, cel.StringType, cel.IntType, cel.UintType)
	if err != nil {
		return nil, err
	}
	return &String{compiled{program, source}}, nil
}

// CompileBool compiles an expression over an event and its request that is true
// or false.
func CompileBool(source string) (*Bool, error) {
	program, err := compile(&ofEvent, source, cel.BoolType)
	if err != nil {
		return nil, err
	}
	return &Bool{compiled{program, source}}, nil
}

// CompileClaims compiles an expression over the variable claims that is true or
// false.
func CompileClaims(source string) (*Claims, error) {
	program, err := compile(&ofClaims, source, cel.BoolType)
	if err != nil {
		return nil, err
	}
	return &Claims{compiled{program, source}}, nil
}

// Eval returns the text; null gives the empty text.
func (s *String) Eval(activation *Activation) (string, error) {
	value, err := s.eval(activation)
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
	value, err := b.eval(activation)
	if err != nil {
		return false, err
	}
	return truth(value)
}

// Eval returns whether the rule holds for the claims, as decoded from JSON.
func (c *Claims) Eval(claims map[string]any) (bool, error) {
	value, _, err := c.program.Eval(map[string]any{varClaims: claims})
	if err != nil {
		return false, explain(err, c.source)
	}
	return truth(value)
}

func truth(value ref.Val) (bool, error) {
	if v, ok := value.(types.Bool); ok {
		return bool(v), nil
	}
	return false, fmt.Errorf("the expression gives a %s, not true or false", value.Type().TypeName())
}

func (c *compiled) eval(activation *Activation) (ref.Val, error) {
	value, _, err := c.program.Eval(activation)
	if err == nil {
		return value, nil
	}
	// An error of the library wraps the one that says more.
	if cause := activation.unread; cause != nil && errors.Is(err, cause) {
		return nil, cause
	}
	return nil, explain(err, c.source)
}

// compile accepts expressions of one of the given types, and those whose type
// only the event can tell. The first type is the one that errors name.
func compile(in *scope, source string, accepted ...*cel.Type) (cel.Program, error) {
	if strings.TrimSpace(source) == "" {
		return nil, &Error{Message: "the expression is empty"}
	}
	if len(source) > MaxLength {
		return nil, &Error{Message: fmt.Sprintf("the expression has %d bytes, more than %d", len(source), MaxLength)}
	}
	env, err := in.env()
	if err != nil {
		return nil, err
	}
	ast, issues := env.Compile(source)
	if issues.Err() != nil {
		return nil, in.firstError(issues)
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
