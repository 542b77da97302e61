package expr_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/postern-dev/postern/receiver/expr"
)

func TestCompileErrors(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		source       string
		want         string
		line, column int
	}{
		"syntax":      {`body.a ==`, "Syntax error", 1, 10},
		"second line": {"body.a == 1 &&\n  bdy.b", "undeclared reference to 'bdy'", 2, 3},
		"unknown variable": {
			`headrs["a"] == "b"`,
			"the expression may use event, method, path, query, headers, body, form and bodySHA256", 1, 1,
		},
		"unknown field":     {`event.name == "x"`, "event has the fields id, type, source and receivedAt", 1, 1},
		"unknown function":  {`body.a.format([1]) == ""`, "undeclared reference to 'format'", 1, 14},
		"types do not meet": {`event.type == 1`, "no matching overload", 1, 12},
		"not a bool":        {`event.type`, "the expression gives a string; it must give a bool", 0, 0},
		"bad pattern":       {`event.type.matches("(")`, "invalid matches argument", 1, 20},
		"bad timestamp":     {`event.receivedAt > timestamp("now")`, "invalid timestamp argument", 1, 30},
		"four loops": {
			`body.a.exists(x, x.exists(y, y.exists(z, z.exists(u, u == 1))))`, "nesting limit", 1, 50,
		},
		"too long": {`event.type == "` + strings.Repeat("x", 2048) + `"`, "more than 2048", 0, 0},
		"too deep": {strings.Repeat("(", 200) + "true" + strings.Repeat(")", 200), "recursion", 0, 0},
		"empty":    {" \n", "the expression is empty", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := expr.CompileBool(test.source)
			problem, ok := errors.AsType[*expr.Error](err)
			if !ok {
				t.Fatalf("got %v, want an *expr.Error", err)
			}
			if !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %q, want one line with %q", err, test.want)
			}
			if test.line != 0 && (problem.Line != test.line || problem.Column != test.column) {
				t.Errorf("error stands at %d:%d, want %d:%d", problem.Line, problem.Column, test.line, test.column)
			}
		})
	}
}

// What gives an event its type and key is evaluated before there is an event.
func TestCompileStringSeesNoEvent(t *testing.T) {
	t.Parallel()
	for _, source := range []string{`event.type`, `event.id + body.id`, `event`} {
		_, err := expr.CompileString(source)
		const want = "the expression may use method, path, query, headers, body, form and bodySHA256"
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "event.type and") {
			t.Errorf("%s: got %v, want an error with %q", source, err, want)
		}
	}
}

func TestCompileStringRefusesOtherTypes(t *testing.T) {
	t.Parallel()
	for _, source := range []string{`true`, `[method]`, `1.5`, `query`} {
		if _, err := expr.CompileString(source); err == nil || !strings.Contains(err.Error(), "must give a string") {
			t.Errorf("%s: got %v", source, err)
		}
	}
}
