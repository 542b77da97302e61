// Package mutant makes builds of Postern that are wrong on purpose. Each of
// them breaks a promise in a way that real systems have broken it, and the
// checker must find it: one that passes a mutant would pass the product as well.
//
// A mutant is a list of replacements in the sources, which `go build -overlay`
// puts in their place, so that the product has no hooks for tests. It imports
// the standard library and, for their names, check.
package mutant

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/postern-dev/postern/test/chaos/check"
)

// Mutant is one wrong build, and how it must be caught.
type Mutant struct {
	Name string
	// Why says what is wrong with it.
	Why string
	// Topology is the world to run it in: sidecar, external or sentinel.
	Topology string
	// Scenario is the scenario to run it in, in place of Topology, Targets, Rate and
	// StoreArgs, where its world is what brings the mutant out.
	Scenario string
	// Faults are the names of the faults that bring it out: all of them happen, in
	// this order and in turns. None means that it shows without any.
	Faults []string
	// Targets is what keeps events in the store while the faults happen: by default
	// targets that refuse some of them, else [Stubborn], [Slow] or [Busy].
	Targets string
	// Rate is new events in a second; 0 means as many as other mutants get.
	Rate float64
	// StoreArgs are added to those of redis-server.
	StoreArgs []string
	// Signs are the violations of which at least one must be found: a run in which
	// something else is wrong has not caught the mutant.
	Signs   []Sign
	Patches []Patch
}

// What targets do with the events of a mutant.
const (
	// Stubborn targets refuse half of them.
	Stubborn = "stubborn"
	// Slow targets take their time or refuse, so that many are in hand.
	Slow = "slow"
	// Busy targets ask for time now and then, not so often that nobody asks them
	// any more.
	Busy = "busy"
)

// Sign is a violation by which a mutant is known.
type Sign struct {
	Invariant check.Invariant
	// Text is a part of the message.
	Text string
}

// Patch is one replacement in a file.
type Patch struct {
	// File is relative to the module.
	File string
	// Old occurs exactly once in the file.
	Old, New string
}

// Find returns a mutant by its name.
func Find(name string) (*Mutant, bool) {
	for _, m := range All() {
		if m.Name == name {
			return &m, true
		}
	}
	return nil, false
}

// Build builds the mutant of the module at root into a program.
func (m *Mutant) Build(ctx context.Context, root, program string) error {
	return m.build(ctx, root, "-o", program, ".")
}

// Compile builds what the mutant changes and throws it away.
func (m *Mutant) Compile(ctx context.Context, root string) error {
	arguments := make([]string, 0, len(m.Patches))
	for _, patch := range m.Patches {
		folder := filepath.Dir(patch.File)
		if strings.HasSuffix(patch.File, ".lua") {
			folder = filepath.Dir(folder)
		}
		arguments = append(arguments, "./"+folder)
	}
	return m.build(ctx, root, arguments...)
}

func (m *Mutant) build(ctx context.Context, root string, arguments ...string) error {
	folder, err := os.MkdirTemp("", "mutant")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	overlay, err := m.overlay(root, folder)
	if err != nil {
		return err
	}
	command := exec.CommandContext(ctx, "go", append([]string{"build", "-overlay", overlay}, arguments...)...)
	command.Dir = root
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("building the mutant %s: %w\n%s", m.Name, err, output)
	}
	return nil
}

// Sources returns the changed files by their names, relative to the module. It
// fails when a patch does not fit any more.
func (m *Mutant) Sources(root string) (map[string]string, error) {
	changed := map[string]string{}
	for _, patch := range m.Patches {
		text, ok := changed[patch.File]
		if !ok {
			content, err := os.ReadFile(filepath.Join(root, patch.File))
			if err != nil {
				return nil, fmt.Errorf("mutant %s: %w", m.Name, err)
			}
			text = string(content)
		}
		if n := strings.Count(text, patch.Old); n != 1 {
			return nil, fmt.Errorf("mutant %s does not fit: %s has this text %d times, not once:\n%s",
				m.Name, patch.File, n, patch.Old)
		}
		changed[patch.File] = strings.Replace(text, patch.Old, patch.New, 1)
	}
	if len(changed) == 0 {
		return nil, errors.New("mutant " + m.Name + " changes nothing")
	}
	return changed, nil
}

// overlay writes the changed files and the list of them into a folder.
func (m *Mutant) overlay(root, folder string) (string, error) {
	changed, err := m.Sources(root)
	if err != nil {
		return "", err
	}
	root, err = filepath.Abs(root)
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	for name, text := range changed {
		path := filepath.Join(folder, strings.ReplaceAll(name, "/", "_"))
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return "", err
		}
		replace[filepath.Join(root, name)] = path
	}
	content, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(folder, "overlay.json")
	return overlay, os.WriteFile(overlay, content, 0o600)
}
