package expr

import (
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// maxText bounds what string functions read and make. CEL's own extension
// charges for a result after it was made, and one replace can make gigabytes.
const maxText = 64 << 10

const overloadPrefix = "postern_"

// stringFunctions are the string functions that people know from CEL elsewhere,
// under the same names and with the same meaning, for texts up to maxText.
func stringFunctions() []cel.EnvOption {
	text, number, list := cel.StringType, cel.IntType, cel.ListType(cel.StringType)
	return []cel.EnvOption{
		method("lowerAscii", text, func(args ...string) any { return mapASCII(args[0], 'A', 'Z', 'a'-'A') }),
		method("upperAscii", text, func(args ...string) any { return mapASCII(args[0], 'a', 'z', -('a' - 'A')) }),
		method("trim", text, func(args ...string) any { return strings.TrimSpace(args[0]) }),
		method("split", list, func(args ...string) any { return strings.Split(args[0], args[1]) }, text),
		method("indexOf", number, indexOf, text),
		method("replace", text, replace, text, text),
		cel.Function("substring",
			cel.MemberOverload(overloadPrefix+"substring_from", []*cel.Type{text, number}, text,
				cel.FunctionBinding(substring)),
			cel.MemberOverload(overloadPrefix+"substring_range", []*cel.Type{text, number, number}, text,
				cel.FunctionBinding(substring))),
	}
}

// method declares a function on strings whose arguments are strings. An error
// among its results is the expression's error.
func method(name string, result *cel.Type, apply func(...string) any, arguments ...*cel.Type) cel.EnvOption {
	binding := func(values ...ref.Val) ref.Val {
		texts := make([]string, len(values))
		for i, value := range values {
			text, ok := value.(types.String)
			if !ok {
				return types.MaybeNoSuchOverloadErr(value)
			}
			if len(text) > maxText {
				return fail("%s: the text has %d bytes, more than %d", name, len(text), maxText)
			}
			texts[i] = string(text)
		}
		return types.DefaultTypeAdapter.NativeToValue(apply(texts...))
	}
	receiver := []*cel.Type{cel.StringType}
	return cel.Function(name, cel.MemberOverload(overloadPrefix+name, append(receiver, arguments...), result,
		cel.FunctionBinding(binding)))
}

func mapASCII(text string, first, last, shift rune) string {
	return strings.Map(func(r rune) rune {
		if r >= first && r <= last {
			return r + shift
		}
		return r
	}, text)
}

// indexOf counts characters, as substring does.
func indexOf(args ...string) any {
	at := strings.Index(args[0], args[1])
	if at < 0 {
		return -1
	}
	return len([]rune(args[0][:at]))
}

func replace(args ...string) any {
	text, old, with := args[0], args[1], args[2]
	size := len(text) + strings.Count(text, old)*(len(with)-len(old))
	if size > maxText {
		return fail("replace: the result has %d bytes, more than %d", size, maxText)
	}
	return strings.ReplaceAll(text, old, with)
}

// substring takes a text, where to start and, optionally, where to end.
func substring(values ...ref.Val) ref.Val {
	text, ok := values[0].(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(values[0])
	}
	if len(text) > maxText {
		return fail("substring: the text has %d bytes, more than %d", len(text), maxText)
	}
	characters := []rune(string(text))
	bounds := [2]int64{0, int64(len(characters))}
	for i, value := range values[1:] {
		number, ok := value.(types.Int)
		if !ok {
			return types.MaybeNoSuchOverloadErr(value)
		}
		bounds[i] = int64(number)
	}
	if bounds[0] < 0 || bounds[0] > bounds[1] || bounds[1] > int64(len(characters)) {
		return fail("substring: %d to %d is outside a text of %d characters", bounds[0], bounds[1], len(characters))
	}
	return types.String(characters[bounds[0]:bounds[1]])
}
