package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"
)

// process is a program that runs in the background until it is stopped.
type process struct {
	name     string
	command  *exec.Cmd
	ended    chan struct{}
	stopping atomic.Bool
}

// start runs a program with a log in the demo's folder. It gets a process group
// of its own, so that Ctrl-C reaches it through the demo, in order.
func (s *stage) start(name, program string, arguments ...string) (*process, error) {
	file := s.path(name + ".log")
	log, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the child has its own descriptor
	s.logs = append(s.logs, file)

	p := &process{name: name, command: exec.Command(program, arguments...), ended: make(chan struct{})}
	p.command.Stdout, p.command.Stderr = log, log
	p.command.Dir = s.folder
	p.command.SysProcAttr = isolated()
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		_ = p.command.Wait() // how it ended is in its log
		close(p.ended)
		if !p.stopping.Load() {
			s.died <- name
		}
	}()
	s.undo = append(s.undo, p.stop)
	return p, nil
}

// stop ends the process: politely, then not.
func (p *process) stop() {
	p.stopping.Store(true)
	_ = p.command.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(15 * time.Second):
		_ = p.command.Process.Kill()
		<-p.ended
	}
}

// await waits for something that the process shall do, and not once it has ended.
func (p *process) await(ctx context.Context, what string, check func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-p.ended:
			cancel(fmt.Errorf("%s has ended", p.name))
		case <-ctx.Done():
		}
	}()
	return until(ctx, what, check)
}

// absolute makes a path of the caller independent of the working folder.
func absolute(path string) string {
	if full, err := filepath.Abs(path); err == nil {
		return full
	}
	return path
}
