package docs_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/postern-dev/postern/test/wait"
)

// fence is a block of code with the words behind its language.
var fence = regexp.MustCompile("(?ms)^```(\\w+)([^\n]*)\n(.*?)^```$")

// ports are those of the pages; each run has others, so that nothing is in the way.
var ports = []string{"3000", "8080", "8081"}

// TestPagesDoWhatTheySay follows pages as a reader would: files are saved,
// commands run, and what a text block shows must be in their output. Behind the
// language of a block stands how: file=NAME to save it, background to leave the
// command running, fails for one that must fail, until=TEXT to repeat it until
// TEXT is printed, skip=REASON for what cannot be run here.
func TestPagesDoWhatTheySay(t *testing.T) {
	t.Parallel()
	binary := build(t)
	for _, page := range []string{"tutorial.md", "debug-a-401.md", "test-locally.md", "replay-after-an-outage.md"} {
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(filepath.Join(root, "docs", page))
			if err != nil {
				t.Fatal(err)
			}
			newReader(t, binary).follow(t, string(text))
		})
	}
}

func build(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	command := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(folder, "postern"), root)
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("building postern: %v\n%s", err, output)
	}
	return folder
}

// reader follows one page.
type reader struct {
	folder string
	env    []string
	ports  *strings.Replacer
	last   *transcript
}

func newReader(t *testing.T, binaries string) *reader {
	t.Helper()
	var renamed []string
	for _, port := range ports {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = listener.Close() }()
		renamed = append(renamed, port, fmt.Sprint(listener.Addr().(*net.TCPAddr).Port))
	}
	return &reader{
		folder: t.TempDir(),
		env:    append(os.Environ(), "PATH="+binaries+":"+os.Getenv("PATH"), "GOFLAGS="),
		ports:  strings.NewReplacer(renamed...),
	}
}

// follow saves the files first: a page may show them after their first use.
func (r *reader) follow(t *testing.T, page string) {
	t.Helper()
	blocks, ran := fence.FindAllStringSubmatch(page, -1), 0
	for _, block := range blocks {
		if name, ok := strings.CutPrefix(strings.TrimSpace(block[2]), "file="); ok {
			content := r.ports.Replace(block[3])
			if err := os.WriteFile(filepath.Join(r.folder, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, block := range blocks {
		switch language, how := block[1], strings.TrimSpace(block[2]); {
		case language == "sh" && !strings.HasPrefix(how, "skip="):
			ran++
			r.run(t, r.ports.Replace(block[3]), how)
		case language == "text":
			r.last.await(t, strings.Split(strings.TrimSpace(r.ports.Replace(block[3])), "\n"))
		}
	}
	if ran == 0 && strings.Contains(page, "```sh") && !strings.Contains(page, "skip=cluster") {
		t.Error("no command was run")
	}
}

func (r *reader) run(t *testing.T, script, how string) {
	t.Helper()
	switch wanted, until := strings.CutPrefix(how, "until="); {
	case how == "background":
		r.begin(t, script)
	case until:
		r.repeat(t, script, regexp.MustCompile(wanted))
	default:
		if err := r.once(t, script); (err != nil) != (how == "fails") {
			t.Fatalf("%s\nended with %v and printed\n%s", script, err, r.last)
		}
	}
}

func (r *reader) once(t *testing.T, script string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), wait.Patience)
	defer cancel()
	return r.command(ctx, script).Run()
}

func (r *reader) repeat(t *testing.T, script string, wanted *regexp.Regexp) {
	t.Helper()
	wait.For(t, script, func() error {
		err := r.once(t, script)
		if err == nil && !wanted.MatchString(r.last.String()) {
			err = fmt.Errorf("it printed no %s but\n%s", wanted, r.last)
		}
		return err
	})
}

// begin leaves the command running until the end of the test and waits until it listens.
func (r *reader) begin(t *testing.T, script string) {
	t.Helper()
	command := r.command(context.Background(), script)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-command.Process.Pid, syscall.SIGTERM) // the whole group: go run has a child
		_ = command.Wait()
	})
	port := r.ports.Replace("3000")
	if strings.Contains(script, "postern dev") {
		port = r.ports.Replace("8080")
		r.last.await(t, []string{"Listening on"})
	}
	wait.For(t, script, func() error {
		connection, err := net.Dial("tcp", "localhost:"+port)
		if err != nil {
			return fmt.Errorf("it does not listen (%w) and printed\n%s", err, r.last)
		}
		return connection.Close()
	})
}

func (r *reader) command(ctx context.Context, script string) *exec.Cmd {
	// The pages rely on the default addresses, which another port cannot be.
	script = strings.Replace(script, "postern dev", "postern dev --listen :"+r.ports.Replace("8080")+
		" --internal localhost:"+r.ports.Replace("8081"), 1)
	command := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", script)
	r.last = &transcript{}
	command.Dir, command.Env, command.Stdout, command.Stderr = r.folder, r.env, r.last, r.last
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return command
}

// transcript is what a command printed so far.
type transcript struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (s *transcript) Write(data []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buffer.Write(data)
}

func (s *transcript) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buffer.String()
}

// await waits until every line has been printed.
func (s *transcript) await(t *testing.T, lines []string) {
	t.Helper()
	if s == nil {
		t.Fatalf("nothing was run before %q", lines)
	}
	wait.For(t, "the output", func() error {
		printed := s.String()
		for _, line := range lines {
			if !strings.Contains(printed, strings.TrimSpace(line)) {
				return fmt.Errorf("%q is missing in\n%s", line, printed)
			}
		}
		return nil
	})
}
