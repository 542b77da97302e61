package main

import (
	"strings"
	"testing"
)

func TestReport(t *testing.T) {
	t.Parallel()
	const pass = `{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p","Elapsed":1.5}
`
	cases := map[string]struct {
		stream string
		ok     bool
		want   string
	}{
		"all passed":    {pass, true, "1 tests in 1 packages: 1 passed, 0 skipped, 0 failed"},
		"nothing ran":   {"", false, "nothing was tested"},
		"no test files": {`{"Action":"skip","Package":"p"}` + "\n", false, "nothing was tested"},
		"a test failed": {
			`{"Action":"output","Package":"p","Test":"TestA","Output":"want 1\n"}
{"Action":"fail","Package":"p","Test":"TestA"}
{"Action":"fail","Package":"p"}
`, false, "want 1\n",
		},
		"a panic fails only the package": {`{"Action":"fail","Package":"p"}` + "\n", false, "FAIL p"},
		"a package does not build": {
			pass + `{"Action":"build-output","ImportPath":"q","Output":"undefined: x\n"}
{"Action":"build-fail","ImportPath":"q"}
`, false, "undefined: x",
		},
		"a skip says why": {
			`{"Action":"output","Package":"p","Test":"TestB","Output":"    b_test.go:3: no cluster\n"}
{"Action":"output","Package":"p","Test":"TestB","Output":"--- SKIP: TestB (0.00s)\n"}
{"Action":"skip","Package":"p","Test":"TestB"}
` + pass, true, "skipped p TestB: b_test.go:3: no cluster",
		},
		"text of the go command is kept": {"go: no such module\n" + pass, true, "go: no such module"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			r := newReport(&out)
			if err := r.read(strings.NewReader(c.stream)); err != nil {
				t.Fatal(err)
			}
			if got := r.finish(); got != c.ok {
				t.Errorf("ok = %t, want %t\n%s", got, c.ok, out.String())
			}
			if !strings.Contains(out.String(), c.want) {
				t.Errorf("output lacks %q:\n%s", c.want, out.String())
			}
		})
	}
}
