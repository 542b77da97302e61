package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/postern-dev/postern/receiver/queue/acl"
	"github.com/postern-dev/postern/receiver/queue/serverargs"
)

// ticksPerSecond is the unit of /proc/PID/stat; it is the same on every Linux.
const ticksPerSecond = 100

// storeBytes is room for all events of a run.
const storeBytes = 4 << 30

// process is one part of the measured system.
type process struct {
	command *exec.Cmd
	addr    string
}

// startRole starts this program as something else and waits until it listens.
func startRole(ctx context.Context, role string, args ...string) (*process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, program, append([]string{"-role", role}, args...)...)
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 10 * time.Second
	command.Stderr = os.Stderr
	output, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		if addr, ok := strings.CutPrefix(lines.Text(), "listening "); ok {
			go func() { _, _ = io.Copy(io.Discard, output) }()
			return &process{command: command, addr: addr}, nil
		}
	}
	return nil, fmt.Errorf("%s ended before it listened: %w", role, command.Wait())
}

// stop ends the process in order.
func (p *process) stop() {
	_ = p.command.Process.Signal(os.Interrupt)
	_ = p.command.Wait() // how it ended does not change what was measured
}

// cpu is the processor time of the process and its children that have ended.
func (p *process) cpu() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.command.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("processor time is read from Linux's /proc: %w", err)
	}
	// The name in parentheses may hold anything; the state follows it.
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 15 {
		return 0, errors.New("/proc/PID/stat is too short")
	}
	var ticks int
	for _, field := range fields[11:15] { // utime, stime, cutime, cstime
		n, err := strconv.Atoi(field)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * (time.Second / ticksPerSecond), nil
}

// resident is the memory of the process in bytes.
func (p *process) resident() (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if text, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kilobytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(text), " kB"), 10, 64)
			return kilobytes << 10, err
		}
	}
	return 0, errors.New("/proc/PID/status has no VmRSS")
}

// startStore starts a server as the sidecar runs it.
func startStore(ctx context.Context, dir string) (*process, error) {
	args := []string{"--port", "0", "--unixsocket", filepath.Join(dir, "store.sock"), "--dir", dir}
	args = append(args, serverargs.Sized(storeBytes)...)
	args = append(args, serverargs.Durable...)
	args = append(args, serverargs.Tuned...)
	args = append(args, acl.ServerArgs()...)
	command := exec.CommandContext(ctx, "redis-server", args...)
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 10 * time.Second
	if err := command.Start(); err != nil {
		return nil, err
	}
	return &process{command: command, addr: filepath.Join(dir, "store.sock")}, nil
}

// usedMemory asks the store what its data takes.
func usedMemory(ctx context.Context, socket string) (int64, error) {
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "unix", socket)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "AUTH %s none\r\nINFO memory\r\nPING\r\n", acl.Username); err != nil {
		return 0, err
	}
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), "used_memory:"); ok {
			return strconv.ParseInt(text, 10, 64)
		}
	}
	return 0, fmt.Errorf("the store does not tell its memory: %w", errors.Join(lines.Err(), io.ErrUnexpectedEOF))
}
