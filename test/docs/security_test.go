package docs_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	threatRow = regexp.MustCompile(`(?m)^\| (T\d+) \|.*\|$`)
	testName  = regexp.MustCompile("`((?:Test|Fuzz)[A-Z]\\w*)`")
)

// TestEveryThreatNamesATest holds the page on security to its word: each of the
// threats names tests, and each test that it names exists.
func TestEveryThreatNamesATest(t *testing.T) {
	t.Parallel()
	page := pages(t)["docs/security.md"]
	exists := testNames(t)
	rows := threatRow.FindAllStringSubmatch(page, -1)
	for i, row := range rows {
		if want := fmt.Sprint("T", i+1); row[1] != want {
			t.Errorf("row %d is %s, want %s", i+1, row[1], want)
		}
		named := testName.FindAllStringSubmatch(row[0], -1)
		if len(named) == 0 {
			t.Errorf("%s names no test", row[1])
		}
		for _, name := range named {
			if !exists[name[1]] {
				t.Errorf("%s: there is no test %s", row[1], name[1])
			}
		}
	}
	if len(rows) < 24 {
		t.Errorf("%d threats are listed, want 24 and more", len(rows))
	}
}

// testNames are the tests of all packages.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (strings.HasPrefix(entry.Name(), ".") && path != root || entry.Name() == "bin"):
			return filepath.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, data, 0)
		if err != nil {
			return err
		}
		for _, declaration := range file.Decls {
			if function, ok := declaration.(*ast.FuncDecl); ok && function.Recv == nil {
				names[function.Name.Name] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
