package providers_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/postern-dev/postern/cli/clitest"
	"github.com/postern-dev/postern/cli/exit"
	"github.com/postern-dev/postern/receiver/verify"
)

func TestList(t *testing.T) {
	t.Parallel()
	got := clitest.Run(t, "providers")
	lines := strings.Split(strings.TrimSpace(got.Stdout), "\n")
	if got.Status != exit.OK || len(lines) != len(verify.Presets())+1 {
		t.Fatalf("status %d and %d lines, want one a provider and a heading", got.Status, len(lines))
	}
	for _, preset := range verify.Presets() {
		if !strings.Contains(got.Stdout, "\n"+preset.Name+" ") {
			t.Errorf("%s is not listed", preset.Name)
		}
	}
}

func TestListForPrograms(t *testing.T) {
	t.Parallel()
	var all []map[string]any
	got := clitest.Run(t, "providers", "-o", "json")
	if err := json.Unmarshal([]byte(got.Stdout), &all); err != nil || len(all) != len(verify.Presets()) {
		t.Fatalf("%d providers (%v), want %d", len(all), err, len(verify.Presets()))
	}
	for _, one := range all {
		for field := range one {
			if field == "ackLimit" || field == "tolerance" {
				t.Errorf("%v has the field %s, a duration without unit", one["name"], field)
			}
		}
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"stripe", "paypal", "none"} {
		got := clitest.Run(t, "providers", name)
		if got.Status != exit.OK {
			t.Errorf("%s: status %d: %s", name, got.Status, got.Stderr)
		}
		clitest.Golden(t, "testdata/"+name+".golden", got.Stdout)
	}
}

func TestOneForPrograms(t *testing.T) {
	t.Parallel()
	var stripe struct {
		Name    string
		Retries struct {
			For        string
			ForSeconds int
		}
		ToleranceSeconds int
	}
	got := clitest.Run(t, "providers", "stripe", "-o", "json")
	if err := json.Unmarshal([]byte(got.Stdout), &stripe); err != nil {
		t.Fatal(err)
	}
	if stripe.Name != "stripe" || stripe.ToleranceSeconds != 300 ||
		stripe.Retries.For != "72h" || stripe.Retries.ForSeconds != 72*3600 {
		t.Errorf("stripe is %+v", stripe)
	}
}

func TestUnknown(t *testing.T) {
	t.Parallel()
	got := clitest.Run(t, "providers", "strpe")
	if got.Status != exit.Usage || !strings.Contains(got.Stderr, "did you mean stripe") {
		t.Errorf("status %d, standard error %q; want status 2 and the close name", got.Status, got.Stderr)
	}
}

// TestExamplesAreValid keeps the manifests that pages print from being wrong.
func TestExamplesAreValid(t *testing.T) {
	t.Parallel()
	for _, preset := range verify.Presets() {
		got := clitest.Run(t, "providers", preset.Name)
		_, manifest, found := strings.Cut(got.Stdout, "\nApply:\n")
		if !found {
			t.Fatalf("the page of %s has no manifest", preset.Name)
		}
		manifest = strings.ReplaceAll(manifest, "\n  ", "\n")[2:]
		checked := clitest.RunInput(t, manifest, "validate", "-f", "-")
		if checked.Status != exit.OK {
			t.Errorf("the manifest of %s is refused: %s%s", preset.Name, checked.Stdout, checked.Stderr)
		}
	}
}
