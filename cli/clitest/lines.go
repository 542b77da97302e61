package clitest

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postern-dev/postern/test/wait"
)

// Lines collects what a long-running command writes and lets tests wait for it.
type Lines struct {
	mu      sync.Mutex
	partial bytes.Buffer
	lines   []string
	// next is the first line that no wait has looked at.
	next    int
	changed chan struct{}
}

// NewLines makes an empty collection.
func NewLines() *Lines { return &Lines{changed: make(chan struct{}, 1)} }

// Write implements io.Writer.
func (l *Lines) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.partial.Write(text)
	for {
		line, err := l.partial.ReadString('\n')
		if err != nil {
			l.partial.WriteString(line)
			break
		}
		l.lines = append(l.lines, strings.TrimSuffix(line, "\n"))
	}
	select {
	case l.changed <- struct{}{}:
	default:
	}
	return len(text), nil
}

// Await returns the next line that contains every one of the texts; lines
// before it are skipped for good.
func (l *Lines) Await(t testing.TB, texts ...string) string {
	t.Helper()
	deadline := time.NewTimer(wait.Patience)
	defer deadline.Stop()
	for {
		if line, found := l.take(texts); found {
			return line
		}
		select {
		case <-l.changed:
		case <-deadline.C:
			t.Fatalf("no line with %q; there are:\n%s", texts, l)
		}
	}
}

func (l *Lines) take(texts []string) (string, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for ; l.next < len(l.lines); l.next++ {
		if containsAll(l.lines[l.next], texts) {
			l.next++
			return l.lines[l.next-1], true
		}
	}
	return "", false
}

func containsAll(line string, texts []string) bool {
	for _, text := range texts {
		if !strings.Contains(line, text) {
			return false
		}
	}
	return true
}

// String returns everything that was written in whole lines.
func (l *Lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}
