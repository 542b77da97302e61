package world

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/postern-dev/postern/test/chaos/history"
	"github.com/postern-dev/postern/test/kube"
	"github.com/postern-dev/postern/test/local"
)

const (
	// quickEnd is a life so short that the next start waits a little.
	quickEnd = 500 * time.Millisecond
	// restartWait is that little.
	restartWait = 100 * time.Millisecond
)

// Unit is a process that is started again whenever it ends, as a container of a
// pod is, unless it is held. Faults act on units.
type Unit struct {
	// Name is that in history and logs.
	Name string

	folder  string
	history *history.Writer
	command func() (local.Command, error)
	ready   func(context.Context) error

	mu      sync.Mutex
	changed *sync.Cond
	process *local.Process
	held    bool
	paused  bool
	closed  bool
	// excused tells that ending by itself is what the fault is about.
	excused int
	// killed is the number of the process that was told to end.
	killed  int
	crashes []string
	failed  error
	done    chan struct{}
}

// newUnit supervises what command describes at each start.
func newUnit(
	name, folder string, writer *history.Writer, command func() (local.Command, error), ready func(context.Context) error,
) *Unit {
	u := &Unit{
		Name: name, folder: folder, history: writer, command: command, ready: ready,
		held: true, done: make(chan struct{}),
	}
	u.changed = sync.NewCond(&u.mu)
	go u.supervise()
	return u
}

// Start releases the unit and waits until it is ready.
func (u *Unit) Start(ctx context.Context) error {
	u.Release()
	return u.AwaitReady(ctx)
}

// AwaitReady waits until the process answers.
func (u *Unit) AwaitReady(ctx context.Context) error {
	return kube.Until(ctx, u.Name+" to be ready", Patience, func(ctx context.Context) error {
		if err := u.Err(); err != nil {
			return err
		}
		return u.ready(ctx)
	})
}

// Ready tells whether the process answers now.
func (u *Unit) Ready(ctx context.Context) bool { return u.ready(ctx) == nil }

// Hold keeps the unit from being started again.
func (u *Unit) Hold() { u.hold(true) }

// Release lets it start again.
func (u *Unit) Release() { u.hold(false) }

func (u *Unit) hold(on bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.held = on
	u.changed.Broadcast()
}

// Kill ends the process as kill -9 does and waits until it is gone. It starts
// again unless it is held.
func (u *Unit) Kill() {
	if p := u.doomed(); p != nil {
		p.Kill()
	}
}

// Stop ends the process as a kubelet does, with time to end in order.
func (u *Unit) Stop() {
	if p := u.doomed(); p != nil {
		p.Stop()
	}
}

// doomed returns the process that runs, which will end on purpose.
func (u *Unit) doomed() *local.Process {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.process != nil {
		u.killed = u.process.PID()
	}
	return u.process
}

// Pause stops the process without ending it, until Resume. One that starts
// meanwhile runs.
func (u *Unit) Pause() { u.signal(syscall.SIGSTOP, true) }

// Resume continues a paused process.
func (u *Unit) Resume() { u.signal(syscall.SIGCONT, false) }

func (u *Unit) signal(signal syscall.Signal, paused bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.process != nil {
		u.process.Signal(signal)
		u.paused = paused
	}
}

// away tells that somebody keeps the process from answering, and will let go of it.
func (u *Unit) away() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.paused || u.held
}

// PID is the number of the process, 0 while there is none.
func (u *Unit) PID() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.process == nil {
		return 0
	}
	return u.process.PID()
}

// MayEnd excuses that the process ends by itself, or no longer.
func (u *Unit) MayEnd(on bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if on {
		u.excused++
	} else {
		u.excused--
	}
}

// Crashes tells how the process ended when nobody had ended it.
func (u *Unit) Crashes() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.crashes
}

// Err says why the process cannot be started.
func (u *Unit) Err() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.failed
}

// Log is the file with what the process printed.
func (u *Unit) Log() string { return filepath.Join(u.folder, u.Name+".log") }

// close ends the unit for good.
func (u *Unit) close() {
	u.mu.Lock()
	u.closed = true
	u.changed.Broadcast()
	u.mu.Unlock()
	u.Resume()
	u.Stop()
	<-u.done
}

func (u *Unit) supervise() {
	defer close(u.done)
	for {
		p, ok := u.next()
		if !ok {
			return
		}
		if p == nil {
			u.pause()
			continue
		}
		began := time.Now()
		<-p.Ended()
		u.ended(p)
		if time.Since(began) < quickEnd {
			u.pause()
		}
	}
}

// next waits until the process may start, and starts it; nil when that failed.
func (u *Unit) next() (p *local.Process, ok bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for u.held && !u.closed {
		u.changed.Wait()
	}
	if u.closed {
		return nil, false
	}
	command, err := u.command()
	if err == nil {
		command.Name, command.Dir, command.Log = u.Name, u.folder, u.Log()
		p, err = local.Start(command)
	}
	if err != nil {
		u.failed = fmt.Errorf("%s does not start: %w", u.Name, err)
		return nil, true
	}
	u.failed, u.process, u.paused = nil, p, false
	u.history.Write(history.Record{Process: &history.Process{Name: u.Name, PID: p.PID(), Started: true}})
	return p, true
}

func (u *Unit) ended(p *local.Process) {
	u.history.Write(history.Record{Process: &history.Process{Name: u.Name, PID: p.PID(), Detail: p.Outcome()}})
	u.mu.Lock()
	defer u.mu.Unlock()
	u.process = nil
	if u.killed != p.PID() && u.excused == 0 && !u.closed {
		u.crashes = append(u.crashes, fmt.Sprintf("%s (process %d) ended by itself: %s; see %s",
			u.Name, p.PID(), p.Outcome(), u.Log()))
	}
}

func (u *Unit) pause() {
	timer := time.NewTimer(restartWait)
	defer timer.Stop()
	<-timer.C
}

// KillChildren ends the processes that this one has forked.
func (u *Unit) KillChildren() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.process == nil {
		return nil
	}
	pid := strconv.Itoa(u.process.PID())
	data, err := os.ReadFile(filepath.Join("/proc", pid, "task", pid, "children"))
	if err != nil {
		return err
	}
	for field := range strings.FieldsSeq(string(data)) {
		child, err := strconv.Atoi(field)
		if err == nil {
			err = syscall.Kill(child, syscall.SIGKILL)
		}
		if err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	}
	return nil
}
