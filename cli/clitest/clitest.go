// Package clitest runs command lines in the test's own process, with real
// files and sockets, and compares what they print with golden files.
//
// It imports cli and is imported by tests only.
package clitest

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/cli"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Result is what a command line did.
type Result struct {
	Status int
	Stdout string
	Stderr string
}

// Run runs `postern` with arguments.
func Run(t testing.TB, arguments ...string) Result {
	t.Helper()
	return RunInput(t, "", arguments...)
}

// RunInput runs `postern` with arguments and standard input.
func RunInput(t testing.TB, stdin string, arguments ...string) Result {
	t.Helper()
	var out, err bytes.Buffer
	status := cli.Main(t.Context(), append([]string{"postern"}, arguments...), cli.Streams{
		In: strings.NewReader(stdin), Out: &out, Err: &err,
	})
	return Result{Status: status, Stdout: out.String(), Stderr: err.String()}
}

// Start runs a long-running command line until the test ends or stop is
// called; stop returns the exit status.
func Start(t testing.TB, streams cli.Streams, arguments ...string) (stop func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() { ended <- cli.Main(ctx, append([]string{"postern"}, arguments...), streams) }()
	stop = func() int {
		cancel()
		status := <-ended
		ended <- status
		return status
	}
	t.Cleanup(func() { stop() })
	return stop
}

// WriteFile writes a file into the test's own folder and returns its path.
func WriteFile(t testing.TB, folder, name, text string) string {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Golden compares text with a golden file, or rewrites it with -update.
func Golden(t testing.TB, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (run the test with -update to write it)", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}
