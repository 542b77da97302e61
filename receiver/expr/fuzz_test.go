package expr_test

import (
	"testing"

	"github.com/postern-dev/postern/receiver/expr"
)

func FuzzCompileAndEval(f *testing.F) {
	for _, source := range []string{
		`body.action == "opened"`, `headers[?"x"].orValue("")`, `body.a.map(x, x + x)[0]`,
		`event.receivedAt + duration("1h")`, `"a".replace("", "b").split("b")[0]`, `[[1]].map(a, [a, a]) == [[1]]`,
		`body.?a.b`, `form["a"][0] + query["b"][0]`, `bodySHA256 + method + path`, `{"a": 1}.a`, `(`, "\xff",
	} {
		f.Add(source, []byte(`{"action":"opened","a":["b"]}`))
	}
	f.Fuzz(func(t *testing.T, source string, body []byte) {
		activation := activate(expr.Event{Type: "t"}, "application/json", body)
		if program, err := expr.CompileBool(source); err == nil {
			_, _ = program.Eval(activation)
		}
		if rule, err := expr.CompileClaims(source); err == nil {
			_, _ = rule.Eval(map[string]any{"sub": "a"})
		}
		program, err := expr.CompileString(source)
		if err != nil {
			return
		}
		if text, err := program.Eval(activation); err == nil && len(text) > 4096 {
			t.Errorf("%q gave %d bytes", source, len(text))
		}
	})
}
