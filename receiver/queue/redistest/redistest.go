// Package redistest runs private redis-server processes for tests: real
// processes with a real append-only file, which a test may kill and restart.
//
// Tests import it; nothing else does.
package redistest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/rueidis"
)

// startDeadline is how long a server may take until it answers. Loading a large
// file on a busy machine takes seconds.
const startDeadline = 30 * time.Second

// Durable are the settings that the store asks for; a server is started with
// them unless an option says otherwise.
var Durable = []string{
	"--appendonly", "yes", "--appendfsync", "always", "--save", "",
	"--maxmemory-policy", "noeviction", "--io-threads", "1",
}

// Server is a running redis-server on a Unix socket of its own.
type Server struct {
	dir      string
	args     []string
	username string
	port     string

	command *exec.Cmd
	exited  chan struct{}
	output  bytes.Buffer
}

// Option changes how a server is started.
type Option func(*Server)

// WithArgs adds command-line arguments, which override earlier ones.
func WithArgs(args ...string) Option {
	return func(s *Server) { s.args = append(s.args, args...) }
}

// WithUser makes the server's own questions, the readiness check and
// [Server.Do], as the named user without a password. It is for servers whose
// default user is off; the user must exist.
func WithUser(name string) Option {
	return func(s *Server) { s.username = name }
}

// WithTCP has the server listen on a port of the loopback interface too.
func WithTCP(t testing.TB) Option {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("looking for a free port: %v", err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	_ = listener.Close()
	return func(s *Server) {
		s.port = port
		s.args = append(s.args, "--bind", "127.0.0.1", "--port", port)
	}
}

// Start runs a server until the end of the test.
func Start(t testing.TB, options ...Option) *Server {
	t.Helper()
	// Not t.TempDir: a socket's path must be shorter than 108 bytes.
	dir, err := os.MkdirTemp("", "redistest")
	if err != nil {
		t.Fatalf("making a directory for redis-server: %v", err)
	}
	s := &Server{dir: dir, args: append([]string{"--port", "0"}, Durable...)}
	for _, option := range options {
		option(s)
	}
	t.Cleanup(func() {
		s.stop(t)
		_ = os.RemoveAll(dir)
	})
	s.Restart(t)
	return s
}

// URL is the address of the server in the form that the store takes.
func (s *Server) URL() string {
	return "unix://" + s.Socket()
}

// TCPURL is the address of a server that was started with [WithTCP].
func (s *Server) TCPURL() string {
	return "redis://127.0.0.1:" + s.port
}

// Socket is the path of the server's socket.
func (s *Server) Socket() string {
	return filepath.Join(s.dir, "redis.sock")
}

// DataDir is the directory that holds the append-only file.
func (s *Server) DataDir() string {
	return s.dir
}

// Kill ends the server as kill -9 does and waits until it is gone.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	s.stop(t)
}

// Restart starts the server again on the same data, killing it first if it
// still runs, and waits until it answers. Arguments given are added for good.
func (s *Server) Restart(t testing.TB, args ...string) {
	t.Helper()
	s.stop(t)
	s.args = append(s.args, args...)
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatalf("redis-server is needed for this test: %v; on Debian: apt-get install redis-server", err)
	}
	s.output.Reset()
	own := []string{"--dir", s.dir, "--unixsocket", s.Socket(), "--logfile", ""}
	s.command = exec.Command(path, append(own, s.args...)...)
	s.command.Stdout, s.command.Stderr = &s.output, &s.output
	if err := s.command.Start(); err != nil {
		t.Fatalf("starting redis-server: %v", err)
	}
	s.exited = make(chan struct{})
	go func() {
		_ = s.command.Wait()
		close(s.exited)
	}()
	s.await(t)
}

// Pause stops the process without ending it, as a stalled disk would, until Resume.
func (s *Server) Pause(t testing.TB) {
	t.Helper()
	s.signal(t, syscall.SIGSTOP)
}

// Resume continues a paused process.
func (s *Server) Resume(t testing.TB) {
	t.Helper()
	s.signal(t, syscall.SIGCONT)
}

// Do runs one command and returns its reply as text.
func (s *Server) Do(t testing.TB, args ...string) string {
	t.Helper()
	client := s.Client(t)
	defer client.Close()
	reply, err := client.Do(context.Background(), client.B().Arbitrary(args...).Build()).ToAny()
	if err != nil && !rueidis.IsRedisNil(err) {
		t.Fatalf("redis %v: %v", args, err)
	}
	return fmt.Sprint(reply)
}

// Await polls a command until its reply contains the text.
func (s *Server) Await(t testing.TB, text string, args ...string) {
	t.Helper()
	deadline := time.After(startDeadline)
	retry := time.NewTicker(5 * time.Millisecond)
	defer retry.Stop()
	for {
		reply := s.Do(t, args...)
		if strings.Contains(reply, text) {
			return
		}
		select {
		case <-retry.C:
		case <-deadline:
			t.Fatalf("redis %v still replies %q after %s, want %q", args, reply, startDeadline, text)
		}
	}
}

// Client connects to the server; the caller closes the client.
func (s *Server) Client(t testing.TB) rueidis.Client {
	t.Helper()
	client, err := s.dial()
	if err != nil {
		t.Fatalf("connecting to redis-server: %v", err)
	}
	return client
}

func (s *Server) dial() (rueidis.Client, error) {
	option, err := rueidis.ParseURL(s.URL())
	if err != nil {
		return nil, err
	}
	option.ForceSingleClient = true
	option.DisableCache = true
	option.DisableRetry = true
	option.PipelineMultiplex = -1
	option.Username = s.username
	option.ClientSetInfo = rueidis.DisableClientSetInfo
	return rueidis.NewClient(option)
}

// await polls until the server answers or is gone.
func (s *Server) await(t testing.TB) {
	t.Helper()
	deadline := time.After(startDeadline)
	retry := time.NewTicker(5 * time.Millisecond)
	defer retry.Stop()
	for {
		if s.ping() == nil {
			return
		}
		select {
		case <-retry.C:
		case <-s.exited:
			t.Fatalf("redis-server ended at once:\n%s", s.output.String())
		case <-deadline:
			t.Fatalf("redis-server does not answer after %s", startDeadline)
		}
	}
}

func (s *Server) ping() error {
	client, err := s.dial()
	if err != nil {
		return err
	}
	defer client.Close()
	return client.Do(context.Background(), client.B().Ping().Build()).Error()
}

func (s *Server) signal(t testing.TB, signal os.Signal) {
	t.Helper()
	if err := s.command.Process.Signal(signal); err != nil {
		t.Fatalf("signalling redis-server: %v", err)
	}
}

func (s *Server) stop(t testing.TB) {
	t.Helper()
	if s.command == nil {
		return
	}
	_ = s.command.Process.Kill() // it may have ended by itself
	<-s.exited
	s.command = nil
}
