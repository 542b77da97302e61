package expr_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/postern-dev/postern/receiver/expr"
)

// huge is a list of some million values in less than two kilobytes of source.
var huge = func() string {
	step := `.map(a, [` + strings.TrimSuffix(strings.Repeat("a,", 150), ",") + `])`
	return `[1]` + step + step + step
}()

func TestEvaluationIsBounded(t *testing.T) {
	t.Parallel()
	items := `{"items":[` + strings.TrimSuffix(strings.Repeat(`"0123456789",`, 5000), ",") + `]}`
	long := `{"text":"` + strings.Repeat("x", 5_000_000) + `"}`
	longish := `{"text":"` + strings.Repeat("x", 100_000) + `"}`
	for name, test := range map[string]struct{ source, body, want string }{
		"quadratic loop":      {`body.items.all(a, body.items.all(b, a == b))`, items, "cost limit exceeded"},
		"comparison in loop":  {`body.items.all(a, body.items == body.items)`, items, "cost limit exceeded"},
		"membership in loop":  {`body.items.all(a, !("y" in body.items))`, items, "cost limit exceeded"},
		"concatenation":       {`size((body.text + body.text + body.text + body.text)) > 0`, long, "cost limit exceeded"},
		"pattern on a text":   {`body.text.matches("(x+x+)+y")`, long, "cost limit exceeded"},
		"nested lists":        {`dyn(` + huge + `) == dyn([1])`, ``, "cannot be compared"},
		"nested lists differ": {`dyn(` + huge + `) != dyn([1])`, ``, "cannot be compared"},
		"member of lists":     {`dyn(1) in dyn(` + huge + `)`, ``, "cannot be compared"},
		"list in an optional": {`optional.of(` + huge + `) == optional.none()`, ``, "cannot be compared"},
		"object":              {`{"a": dyn(` + huge + `)} == {"a": dyn(1)}`, ``, "cannot be compared"},
		"text too long":       {`body.text.replace("x", "yy") == ""`, longish, "more than 65536"},
		"result too long": {
			fmt.Sprintf(`%q.replace("x", %[1]q) == ""`, strings.Repeat("x", 700)), ``, "more than 65536",
		},
		"substring too long": {`body.text.substring(1) == ""`, longish, "more than 65536"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program, err := expr.CompileBool(test.source)
			if err != nil {
				t.Fatal(err)
			}
			_, err = program.Eval(activate(expr.Event{}, "application/json", []byte(test.body)))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}

// Rules over the claims of a token have the bounds of all expressions.
func TestClaimsAreBounded(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ source, want string }{
		"too long":     {`claims.sub == "` + strings.Repeat("x", expr.MaxLength) + `"`, "more than 2048"},
		"too deep":     {strings.Repeat("(", 200) + "true" + strings.Repeat(")", 200), "recursion"},
		"four loops":   {`claims.a.exists(x, x.exists(y, y.exists(z, z.exists(u, u == 1))))`, "nesting limit"},
		"pattern":      {`"x".matches("(")`, "invalid matches argument"},
		"not a bool":   {`"x"`, "must give a bool"},
		"of a request": {`body.sub == "x"`, "the expression may use claims"},
	} {
		if _, err := expr.CompileClaims(test.source); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want an error with %q", name, err, test.want)
		}
	}
	groups := make([]any, 5000)
	for i := range groups {
		groups[i] = "g"
	}
	claims := map[string]any{"groups": groups, "sub": "ci"}
	for source, want := range map[string]string{
		`claims.groups.all(a, claims.groups.all(b, a == b))`:   "cost limit exceeded",
		`claims.groups.all(a, claims.groups == claims.groups)`: "cost limit exceeded",
		`dyn(` + huge + `) == dyn([1])`:                        "cannot be compared",
		`claims.sub`:                                           "not true or false",
		`claims.absent == "x"`:                                 "no such key",
	} {
		rule, err := expr.CompileClaims(source)
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		if holds, err := rule.Eval(claims); holds || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s = %v, %v; want an error with %q", source, holds, err, want)
		}
	}
	rule, err := expr.CompileClaims(`claims.sub == "ci" && "g" in claims.groups && claims.n == 1`)
	if err != nil {
		t.Fatal(err)
	}
	claims["n"] = 1.0
	if holds, err := rule.Eval(claims); err != nil || !holds {
		t.Errorf("a rule that holds gives %v, %v", holds, err)
	}
}
