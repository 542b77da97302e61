package verify_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// sensitive are names of values whose comparison must take constant time.
var sensitive = regexp.MustCompile(`(?i)^(secret|secrets|mac|sum|digest|signature|signatures|presented|` +
	`expected|candidate|candidates|passcode|password|credential|challenge|computed|hash|verification|offered)$`)

// forbidden are comparisons that stop at the first difference.
var forbidden = map[string]bool{
	"bytes.Equal": true, "bytes.Compare": true, "strings.Compare": true, "strings.EqualFold": true,
	"reflect.DeepEqual": true, "slices.Equal": true, "hmac.Equal": true, "subtle.ConstantTimeCompare": true,
}

// TestSecretsAreComparedInOnePlace walks the packages' syntax trees: only the
// helper compares secrets, and nothing else compares what is named like one.
func TestSecretsAreComparedInOnePlace(t *testing.T) {
	t.Parallel()
	helpers, files := 0, 0
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		files++
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(node ast.Node) bool {
			if call, ok := node.(*ast.CallExpr); ok && forbidden[callee(call)] && !harmless(call) {
				if path == "secret.go" {
					helpers++
				} else {
					t.Errorf("%s: %s: use secretEqual", set.Position(call.Pos()), callee(call))
				}
			}
			if binary, ok := node.(*ast.BinaryExpr); ok && (binary.Op == token.EQL || binary.Op == token.NEQ) &&
				(secretive(binary.X) || secretive(binary.Y)) && !trivial(binary.X) && !trivial(binary.Y) {
				t.Errorf("%s: secrets are compared with %s: use secretEqual", set.Position(binary.Pos()), binary.Op)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if helpers != 1 || files < 20 {
		t.Errorf("%d constant-time comparisons in the helper, %d files; want 1, and all files", helpers, files)
	}
}

func callee(call *ast.CallExpr) string {
	if selector, ok := call.Fun.(*ast.SelectorExpr); ok {
		if name, ok := selector.X.(*ast.Ident); ok {
			return name.Name + "." + selector.Sel.Name
		}
	}
	return ""
}

// harmless comparisons have a public word on one side, such as the name of an
// authentication scheme.
func harmless(call *ast.CallExpr) bool {
	for _, argument := range call.Args {
		if _, ok := argument.(*ast.BasicLit); ok {
			return true
		}
		if name, ok := argument.(*ast.Ident); ok && name.Name == "word" {
			return true
		}
	}
	return false
}

// trivial operands tell only whether there is a value, or what it has to begin with.
func trivial(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return true
	case *ast.Ident:
		return e.Name == "nil" || needs[e.Name]
	case *ast.SelectorExpr:
		return needs[e.Sel.Name]
	}
	return false
}

// needs say whether a provider has a Secret, not what it is.
var needs = map[string]bool{"SecretRequired": true, "SecretOptional": true, "SecretNone": true}

func secretive(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return sensitive.MatchString(e.Name)
	case *ast.SelectorExpr:
		return sensitive.MatchString(e.Sel.Name)
	case *ast.CallExpr:
		return len(e.Args) == 1 && secretive(e.Args[0]) && callee(e) == "" && !isLen(e)
	case *ast.IndexExpr:
		return secretive(e.X)
	case *ast.SliceExpr:
		return secretive(e.X)
	}
	return false
}

func isLen(call *ast.CallExpr) bool {
	name, ok := call.Fun.(*ast.Ident)
	return ok && name.Name == "len"
}
