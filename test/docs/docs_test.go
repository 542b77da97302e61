// Package docs_test tests that the documentation is true where a machine can tell:
// manifests are valid, links lead somewhere, make targets exist.
package docs_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/postern-dev/postern/cli/manifests"
)

const root = "../.."

var (
	yamlBlock  = regexp.MustCompile("(?s)```yaml\n(apiVersion:.*?)```")
	link       = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	makeTarget = regexp.MustCompile("make ([a-z][a-z0-9-]*)")
	codeSpan   = regexp.MustCompile("(?s)```console\n(.*?)```|`(make [^`]*)`")
)

// pages are all pages of documentation, by their path from the root.
func pages(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			name, err := filepath.Rel(root, file)
			if err != nil {
				t.Fatal(err)
			}
			found[name] = string(data)
		}
	}
	if len(found) < 5 {
		t.Fatalf("only %d pages found", len(found))
	}
	return found
}

func TestManifestsAreValid(t *testing.T) {
	t.Parallel()
	checked := 0
	for page, text := range pages(t) {
		for i, block := range yamlBlock.FindAllStringSubmatch(text, -1) {
			checked++
			t.Run(fmt.Sprintf("%s/%d", page, i+1), func(t *testing.T) {
				t.Parallel()
				file := filepath.Join(t.TempDir(), "block.yaml")
				if err := os.WriteFile(file, []byte(block[1]), 0o600); err != nil {
					t.Fatal(err)
				}
				set, err := manifests.Load([]string{file}, manifests.Options{})
				if err != nil {
					t.Fatal(err)
				}
				for _, problem := range set.Problems {
					t.Errorf("line %d of the block: %s: %s", problem.Line, problem.Field, problem.Message)
				}
			})
		}
	}
	if checked < 3 {
		t.Errorf("only %d manifests found: has the form of the blocks changed?", checked)
	}
}

func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	for page, text := range pages(t) {
		for _, match := range link.FindAllStringSubmatch(text, -1) {
			target := filepath.Join(root, filepath.Dir(page), match[1])
			data, err := os.ReadFile(target)
			if err != nil {
				t.Errorf("%s: link to %s: %v", page, match[1], err)
				continue
			}
			if anchor := strings.TrimPrefix(match[2], "#"); anchor != "" && !hasHeading(string(data), anchor) {
				t.Errorf("%s: %s has no heading #%s", page, match[1], anchor)
			}
		}
	}
}

// hasHeading says whether a page has the heading of an anchor, by GitHub's rule.
func hasHeading(text, anchor string) bool {
	for line := range strings.Lines(text) {
		title, found := strings.CutPrefix(strings.TrimLeft(line, "#"), " ")
		if found && strings.HasPrefix(line, "#") && slug(title) == anchor {
			return true
		}
	}
	return false
}

func slug(title string) string {
	dropped := regexp.MustCompile("[^a-z0-9 -]")
	plain := dropped.ReplaceAllString(strings.ToLower(strings.TrimSpace(title)), "")
	return strings.ReplaceAll(plain, " ", "-")
}

func TestMakeTargetsExist(t *testing.T) {
	t.Parallel()
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	for page, text := range pages(t) {
		for _, span := range codeSpan.FindAllString(text, -1) {
			for _, match := range makeTarget.FindAllStringSubmatch(span, -1) {
				if !regexp.MustCompile(`(?m)^` + match[1] + `:`).Match(makefile) {
					t.Errorf("%s: `make %s` does not exist", page, match[1])
				}
			}
		}
	}
}

// TestDesignListsEveryPackage has the layout name every package of the product.
func TestDesignListsEveryPackage(t *testing.T) {
	t.Parallel()
	design := pages(t)["docs/design.md"]
	found := 0
	for _, part := range []string{"api", "config", "controllers", "receiver", "cli"} {
		err := filepath.WalkDir(filepath.Join(root, part), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.IsDir() {
				return err
			}
			sources, err := filepath.Glob(filepath.Join(path, "*.go"))
			if err != nil || len(sources) == 0 {
				return err
			}
			found++
			name := filepath.ToSlash(strings.TrimPrefix(path, root+string(filepath.Separator)))
			if !strings.Contains(design, "`"+name+"`") {
				t.Errorf("docs/design.md does not list %s", name)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if found < 50 {
		t.Errorf("only %d packages found", found)
	}
}
