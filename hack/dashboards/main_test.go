package main

import (
	"os"
	"path/filepath"
	"testing"
)

// What is committed is what the definitions say.
func TestDashboardsAreGenerated(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := run(folder); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"overview", "endpoint", "target", "store"} {
		want, err := os.ReadFile(filepath.Join(folder, name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join("../../charts/postern/dashboards", name+".json"))
		if err != nil || string(got) != string(want) {
			t.Errorf("%s.json is not what its definition makes: run `make chart` (%v)", name, err)
		}
	}
}
