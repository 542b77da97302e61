// Package redistest runs private redis-server processes for tests: real
// processes with a real append-only file, which a test may kill and restart.
//
// Tests import it; nothing else does.
package redistest

import (
	"bytes"
	"cmp"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"github.com/postern-dev/postern/test/freeport"
)

// Durable are the settings that the store asks for; a server is started with
// them unless an option says otherwise.
var Durable = []string{
	"--appendonly", "yes", "--appendfsync", "always", "--save", "",
	"--maxmemory-policy", "noeviction", "--io-threads", "1",
}

// Replicating are the settings of servers with replicas, which are in step
// sooner with them: otherwise a replica waits for others before it is sent
// anything, and has nothing to tell of for ten seconds.
var Replicating = []string{"--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"}

// Server is a running redis-server on a Unix socket of its own.
type Server struct {
	dir      string
	program  string
	config   []string
	args     []string
	username string
	port     string
	// encrypted holds the arguments that make it speak TLS.
	encrypted []string

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
	port := freePort(t)
	return func(s *Server) {
		s.port = port
		s.args = append(s.args, "--bind", "127.0.0.1", "--port", port)
	}
}

func freePort(t testing.TB) string {
	t.Helper()
	free, err := freeport.Find()
	if err != nil {
		t.Fatalf("looking for a free port: %v", err)
	}
	return strconv.Itoa(free)
}

// program is the server that tests run: redis-server, or what the environment
// names instead, such as valkey-server.
func program() string {
	return cmp.Or(os.Getenv("POSTERN_TEST_REDIS_SERVER"), "redis-server")
}

// Start runs a server until the end of the test.
func Start(t testing.TB, options ...Option) *Server {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a redis-server")
	}
	s := &Server{dir: tempDir(t), program: program(), args: append([]string{"--port", "0"}, Durable...)}
	for _, option := range options {
		option(s)
	}
	t.Cleanup(func() { s.stop(t) })
	s.Restart(t)
	return s
}

// tempDir is not t.TempDir, because a socket's path must be shorter than 108 bytes.
func tempDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "redistest")
	if err != nil {
		t.Fatalf("making a directory for redis-server: %v", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// URL is the address of the server in the form that the store takes.
func (s *Server) URL() string {
	return "unix://" + s.Socket()
}

// TCPURL is the address of a server that was started with [WithTCP] or [WithTLS].
func (s *Server) TCPURL() string {
	if s.encrypted != nil {
		return "rediss://" + s.Address()
	}
	return "redis://" + s.Address()
}

// Address is host and port of a server that was started with [WithTCP] or [WithTLS].
func (s *Server) Address() string {
	return net.JoinHostPort("127.0.0.1", s.port)
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
	path, err := exec.LookPath(s.program)
	if err != nil {
		t.Fatalf("%s is needed for this test: %v; on Debian: apt-get install redis-server", s.program, err)
	}
	s.output.Reset()
	own := []string{"--dir", s.dir, "--unixsocket", s.Socket(), "--logfile", ""}
	s.command = exec.Command(path, slices.Concat(s.config, own, s.args)...)
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
