package local

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/postern-dev/postern/test/kube"
)

// stopPatience is how long a process may take to end when it is asked to.
const stopPatience = 25 * time.Second

// Command says what to run.
type Command struct {
	// Name is for people.
	Name    string
	Program string
	Args    []string
	// Env is added to the environment of this process.
	Env []string
	// Dir is the working directory.
	Dir string
	// Log gets standard output and error, behind what it holds already.
	Log string
}

// Process is a program that runs in the background until it is stopped.
type Process struct {
	Name    string
	command *exec.Cmd
	ended   chan struct{}
}

// Start runs a program. It gets a process group of its own, so that Ctrl-C
// reaches it through the caller, in order.
func Start(c Command) (*Process, error) {
	log, err := os.OpenFile(c.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the child has its own descriptor

	p := &Process{Name: c.Name, command: exec.Command(c.Program, c.Args...), ended: make(chan struct{})}
	p.command.Stdout, p.command.Stderr = log, log
	p.command.Dir = c.Dir
	p.command.Env = append(os.Environ(), c.Env...)
	p.command.SysProcAttr = isolated()
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Name, err)
	}
	go func() {
		_ = p.command.Wait() // how it ended is in the state and in its log
		close(p.ended)
	}()
	return p, nil
}

// PID is the number of the process.
func (p *Process) PID() int { return p.command.Process.Pid }

// Ended is closed when the process is gone.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Outcome says how the process ended; call it after Ended.
func (p *Process) Outcome() string { return p.command.ProcessState.String() }

// Signal sends a signal; a process that is gone has no use for one.
func (p *Process) Signal(signal syscall.Signal) { _ = p.command.Process.Signal(signal) }

// Kill ends the process as kill -9 does and waits until it is gone.
func (p *Process) Kill() {
	p.Signal(syscall.SIGKILL)
	<-p.ended
}

// Stop ends the process: politely, then not.
func (p *Process) Stop() {
	p.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(stopPatience):
		p.Kill()
	}
}

// Await waits for something that the process shall do, and not once it has ended.
func (p *Process) Await(
	ctx context.Context, what string, patience time.Duration, check func(context.Context) error,
) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-p.ended:
			cancel(fmt.Errorf("%s has ended", p.Name))
		case <-ctx.Done():
		}
	}()
	return kube.Until(ctx, what, patience, check)
}

// Absolute makes a path of the caller independent of the working directory.
func Absolute(path string) string {
	if full, err := filepath.Abs(path); err == nil {
		return full
	}
	return path
}
