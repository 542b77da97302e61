package volume_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/cli/receivercmd/volume"
)

// hold makes the tests' own program hold a lock until it is killed.
const hold = "POSTERN_TEST_HOLD_LOCK"

func TestMain(m *testing.M) {
	directory := os.Getenv(hold)
	if directory == "" {
		os.Exit(m.Run())
	}
	release, err := volume.Lock(context.Background(), directory, slog.New(slog.DiscardHandler))
	if err != nil {
		panic(err)
	}
	fmt.Println("locked")
	_, _ = io.Copy(io.Discard, os.Stdin) // until it is killed
	release()
}

// told is a logger's output as lines.
type told chan string

func (t told) Write(line []byte) (int, error) {
	t <- string(line)
	return len(line), nil
}

func TestLockIsGivenBack(t *testing.T) {
	t.Parallel()
	directory, lines := t.TempDir(), make(told, 8)
	logger := slog.New(slog.NewTextHandler(lines, nil))
	release, err := volume.Lock(t.Context(), directory, logger)
	if err != nil {
		t.Fatal(err)
	}
	second := make(chan error, 1)
	go func() {
		release, err := volume.Lock(t.Context(), directory, logger)
		if err == nil {
			release()
		}
		second <- err
	}()
	if line := <-lines; !strings.Contains(line, "Waiting") {
		t.Errorf("it says %q, want that it waits", line)
	}
	select {
	case err := <-second:
		t.Errorf("two have the lock (%v)", err)
	default:
	}
	release()
	if err := <-second; err != nil {
		t.Error(err)
	}
}

// A killed receiver cannot give anything back.
func TestLockOfAKilledProcess(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	holder := exec.CommandContext(t.Context(), os.Args[0])
	holder.Env = append(os.Environ(), hold+"="+directory)
	if _, err := holder.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "locked\n" {
		t.Fatalf("the other process printed %q, %v", line, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond)
	defer cancel()
	quiet := slog.New(slog.DiscardHandler)
	if _, err := volume.Lock(ctx, directory, quiet); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("another process has the lock, and the error is %v", err)
	}
	if err := holder.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	release, err := volume.Lock(t.Context(), directory, quiet)
	if err != nil {
		t.Fatal(err)
	}
	release()
	_ = holder.Wait() // it was killed
}

func TestLockNeedsADirectory(t *testing.T) {
	t.Parallel()
	_, err := volume.Lock(t.Context(), filepath.Join(t.TempDir(), "none"), slog.New(slog.DiscardHandler))
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error is %v, want that it does not exist", err)
	}
}
