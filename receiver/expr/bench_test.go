package expr_test

import (
	"testing"

	"github.com/postern-dev/postern/receiver/expr"
)

func BenchmarkBool(b *testing.B) {
	for name, source := range map[string]string{
		"event":  `event.type == "pull_request.opened"`,
		"header": `headers["x-github-event"] == "pull_request"`,
		"body":   `body.action == "opened" && body.pull_request.labels.exists(l, l.name == "bug")`,
	} {
		program, err := expr.CompileBool(source)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			activation := pullRequest()
			b.ReportAllocs()
			for b.Loop() {
				if ok, err := program.Eval(activation); err != nil || !ok {
					b.Fatal(ok, err)
				}
			}
		})
	}
}

// BenchmarkBody includes what the first look into a body costs.
func BenchmarkBody(b *testing.B) {
	program, err := expr.CompileBool(`body.action == "opened"`)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if ok, err := program.Eval(pullRequest()); err != nil || !ok {
			b.Fatal(ok, err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := expr.CompileBool(`body.action == "opened" && event.type.startsWith("pull_request")`); err != nil {
			b.Fatal(err)
		}
	}
}
