package mutant_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/postern-dev/postern/receiver/queue/redistest"
	"github.com/postern-dev/postern/test/chaos/mutant"
)

const root = "../../.."

// A mutant that does not fit the sources any more, or does not compile, would
// not be found by anything else until somebody runs the suite.
func TestMutantsFitTheSources(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	names := map[string]bool{}
	for _, m := range mutant.All() {
		if names[m.Name] {
			t.Errorf("two mutants have the name %s", m.Name)
		}
		names[m.Name] = true
		t.Run(m.Name, func(t *testing.T) {
			t.Parallel()
			if m.Why == "" || (m.Topology == "") == (m.Scenario == "") || len(m.Signs) == 0 {
				t.Errorf("%+v does not say why it is wrong and how it is caught", m)
			}
			sources, err := m.Sources(root)
			if err != nil {
				t.Fatal(err)
			}
			for name, text := range sources {
				if strings.HasSuffix(name, ".lua") {
					expectLua(t, server, name, text)
				}
			}
			if err := m.Compile(t.Context(), root); err != nil {
				t.Error(err)
			}
		})
	}
}

// expectLua has a server parse a script, without running it.
func expectLua(t *testing.T, server *redistest.Server, name, text string) {
	t.Helper()
	conn, err := net.Dial("unix", server.Socket())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "*3\r\n$6\r\nSCRIPT\r\n$4\r\nLOAD\r\n$%d\r\n%s\r\n", len(text), text)
	if reply, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.HasPrefix(reply, "$40") {
		t.Errorf("%s is no script: %s %v", name, reply, err)
	}
}

func TestAPatchThatDoesNotFitIsAnError(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "a.go"), []byte("one two one"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		patch mutant.Patch
		fits  bool
	}{
		{mutant.Patch{File: "a.go", Old: "two", New: "three"}, true},
		{mutant.Patch{File: "a.go", Old: "one", New: "three"}, false},
		{mutant.Patch{File: "a.go", Old: "four", New: "three"}, false},
		{mutant.Patch{File: "b.go", Old: "two", New: "three"}, false},
	} {
		m := mutant.Mutant{Name: "test", Patches: []mutant.Patch{test.patch}}
		sources, err := m.Sources(folder)
		if fits := err == nil; fits != test.fits || fits && sources["a.go"] != "one three one" {
			t.Errorf("%+v: got %v, %v", test.patch, sources, err)
		}
	}
	if _, err := (&mutant.Mutant{Name: "empty"}).Sources(folder); err == nil {
		t.Error("a mutant without patches has no error")
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	if m, ok := mutant.Find("no-dedup"); !ok || m.Name != "no-dedup" {
		t.Error("no-dedup was not found")
	}
	if _, ok := mutant.Find("none"); ok {
		t.Error("a mutant was found that is not there")
	}
}
