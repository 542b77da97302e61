package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

var (
	pinnedAction = regexp.MustCompile(`uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	pinnedImage  = regexp.MustCompile(`@sha256:[0-9a-f]{64}`)
)

type workflow struct {
	Permissions any `json:"permissions"`
	Jobs        map[string]struct {
		Needs string
		Steps []struct{ Name, Uses, Run string }
	}
}

func workflows(t *testing.T) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(root, ".github", "workflows", "*"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("there are no workflows: %v", err)
	}
	texts := map[string]string{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts[filepath.Base(path)] = string(data)
	}
	return texts
}

// TestActionsArePinned: a tag of somebody else's repository can be moved, a
// commit cannot. The release is in the comment, for people and for updates.
func TestActionsArePinned(t *testing.T) {
	t.Parallel()
	for name, text := range workflows(t) {
		for line := range strings.Lines(text) {
			if line = strings.TrimRight(line, "\n"); strings.Contains(line, "uses:") && !pinnedAction.MatchString(line) {
				t.Errorf("%s: %q names no commit with the release in a comment", name, strings.TrimSpace(line))
			}
		}
	}
}

// TestNoExpressionInShell: what is interpolated into a script becomes a part of
// it, and the name of a tag or branch may be anything.
func TestNoExpressionInShell(t *testing.T) {
	t.Parallel()
	scripts := 0
	for name, text := range workflows(t) {
		var parsed workflow
		if err := yaml.Unmarshal([]byte(text), &parsed); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if parsed.Permissions == nil {
			t.Errorf("%s: the jobs have all permissions of the repository's default", name)
		}
		for job, described := range parsed.Jobs {
			for _, step := range described.Steps {
				if step.Run != "" {
					scripts++
				}
				if strings.Contains(step.Run, "${{") {
					t.Errorf("%s, job %s: an expression stands in %q: pass it in env", name, job, step.Run)
				}
			}
		}
	}
	if scripts == 0 {
		t.Error("no script was looked at")
	}
}

// TestReleasesCheckTheirTag: no job of a release begins before the name of the
// tag is known to be a version.
func TestReleasesCheckTheirTag(t *testing.T) {
	t.Parallel()
	var release workflow
	if err := yaml.Unmarshal([]byte(workflows(t)["release.yaml"]), &release); err != nil {
		t.Fatal(err)
	}
	check := release.Jobs["tag"].Steps
	if len(check) != 1 || !strings.Contains(check[0].Run, `"$GITHUB_REF_NAME" =~ ^v[0-9]+`) {
		t.Fatalf("the job tag does %v", check)
	}
	for name := range release.Jobs {
		first := name
		for release.Jobs[first].Needs != "" {
			first = release.Jobs[first].Needs
		}
		if first != "tag" {
			t.Errorf("job %s begins without the check of the tag", name)
		}
	}
}

// TestBaseImagesArePinned: what is built on is the same for everybody.
func TestBaseImagesArePinned(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(line, "FROM ") && !pinnedImage.MatchString(line) && !strings.HasPrefix(line, "FROM scratch") {
			t.Errorf("%q has no digest", strings.TrimSpace(line))
		}
	}
}
