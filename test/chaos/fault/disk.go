package fault

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/postern-dev/postern/test/chaos/world"
)

// F3, F5 and F10 need the shim in redis-server.
var (
	PowerLoss = &Kind{
		Name: "F3 power loss", Lane: Processes, Excuses: duplicates, AtBegin: true, Allows: leases, Needs: shimmed,
		Inject: powerLoss,
	}
	SlowDisk  = &Kind{Name: "F5 slow fsync", Lane: Processes, Excuses: duplicates, Needs: shimmed, Inject: slowDisk}
	FailDisk  = &Kind{Name: "F5 failing fsync", Lane: Processes, Excuses: duplicates, Needs: shimmed, Inject: failDisk}
	ClockJump = &Kind{
		Name: "F10 clock of redis jumps", Lane: Processes, Excuses: duplicates, Needs: shimmed, Inject: clockJump,
	}
)

// F13: the log is rewritten while it grows.
var (
	Rewrite     = &Kind{Name: "F13 rewrite the log", Lane: Processes, Inject: rewrite}
	KillRewrite = &Kind{Name: "F13 kill the rewrite of the log", Lane: Processes, Inject: killRewrite}
)

func shimmed(e *Env) string {
	for _, s := range e.World.Stores {
		if s.Page == nil {
			return "no library could be loaded into redis-server"
		}
	}
	return ""
}

// powerLoss kills everything on the machine and takes from the log what was
// never synchronised.
func powerLoss(ctx context.Context, i *Injection) error {
	i.Begin("machine", "kill -9 of all, and the log cut to what was synchronised")
	units := i.World.Units()
	for _, u := range units {
		u.Hold()
	}
	for _, s := range i.World.Stores {
		s.Kill()
	}
	for _, r := range i.World.Receivers {
		r.Kill()
	}
	var failed error
	for _, s := range i.World.Stores {
		failed = errors.Join(failed, forgetUnsynchronised(s))
	}
	for _, u := range units {
		u.Release()
	}
	return errors.Join(failed, i.World.AwaitReady(healing(ctx)))
}

// forgetUnsynchronised cuts the log to the length that the disk had promised.
func forgetUnsynchronised(s *world.Store) error {
	calls, err := s.Page.Calls()
	if err == nil && calls == 0 {
		err = errors.New("the library was not loaded into redis-server: it never saw a synchronisation")
	}
	if err != nil {
		return err
	}
	paths, err := filepath.Glob(filepath.Join(s.Dir, "appendonlydir", "*.incr.aof"))
	if err != nil {
		return err
	}
	for _, path := range paths {
		length, err := s.Page.Synchronised(path)
		if err != nil {
			return err
		}
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		// A file of which nothing was synchronised by this server may be older than it.
		if length > 0 && length < info.Size() {
			if err := os.Truncate(path, length); err != nil {
				return err
			}
		}
	}
	return s.Page.Forget()
}

func slowDisk(ctx context.Context, i *Injection) error {
	s := i.store()
	delay, length := i.between(5*time.Millisecond, time.Second), i.between(500*time.Millisecond, 3*time.Second)
	i.Begin(s.Name, "%s for %s", delay.Round(time.Millisecond), length.Round(time.Millisecond))
	if err := s.Page.Delay(delay); err != nil {
		return err
	}
	rest(ctx, length)
	return errors.Join(s.Page.Delay(0), i.World.AwaitReady(healing(ctx)))
}

// failDisk has redis-server exit, as it must: what a failed fsync has left on
// the disk nobody knows.
func failDisk(ctx context.Context, i *Injection) error {
	s := i.store()
	i.Begin(s.Name, "input/output error")
	s.MayEnd(true)
	defer s.MayEnd(false)
	failed := s.Page.Fail(true)
	rest(ctx, i.between(100*time.Millisecond, time.Second))
	return errors.Join(failed, s.Page.Fail(false), i.World.AwaitReady(healing(ctx)))
}

func clockJump(ctx context.Context, i *Injection) error {
	s, jump := i.store(), time.Hour
	if i.Chance.IntN(2) == 0 {
		jump = -jump
	}
	length := i.between(200*time.Millisecond, 2*time.Second)
	i.Begin(s.Name, "%s for %s", jump, length.Round(time.Millisecond))
	failed := s.Page.Ahead(jump)
	rest(ctx, length)
	return errors.Join(failed, s.Page.Ahead(0), i.World.AwaitReady(healing(ctx)))
}

func rewrite(ctx context.Context, i *Injection) error {
	s := i.store()
	i.Begin(s.Name, "under load")
	if _, err := s.Do(ctx, "BGREWRITEAOF"); err != nil && !started(err) {
		return nil // the server is away; nothing is rewritten
	}
	return i.World.AwaitReady(healing(ctx))
}

func killRewrite(ctx context.Context, i *Injection) error {
	s := i.store()
	i.Begin(s.Name, "the child is killed")
	if _, err := s.Do(ctx, "BGREWRITEAOF"); err != nil && !started(err) {
		return nil // the server is away; nothing is rewritten
	}
	rest(ctx, i.between(0, 20*time.Millisecond)) // the child has come this far
	if err := s.KillChildren(); err != nil {
		return fmt.Errorf("kill the children of %s: %w", s.Name, err)
	}
	return i.World.AwaitReady(healing(ctx))
}

// started tells that a rewrite is going on or will.
func started(err error) bool { return strings.Contains(err.Error(), "ackground") }
