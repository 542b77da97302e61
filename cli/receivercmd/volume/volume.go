// Package volume keeps two stores from writing one log. A pod that is deleted
// goes on serving for a while, and Kubernetes starts the next one at once; where
// both are on one node, a volume that only one node may mount lets both in.
//
// A receiver with a store of its own holds the lock of the volume's directory as
// long as it runs, and the next pod starts no store before it had the lock. It
// imports the standard library only.
package volume

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"syscall"
	"time"
)

// poll is how often a lock that is taken is tried again.
const poll = 100 * time.Millisecond

// Lock waits until nobody else holds the lock of the directory and returns what
// gives it back. The kernel gives back the lock of a process that was killed. On
// a file system without locks it warns and returns at once.
func Lock(ctx context.Context, directory string, logger *slog.Logger) (release func(), err error) {
	file, err := os.Open(directory)
	if err != nil {
		return nil, fmt.Errorf("open the store's directory: %w", err)
	}
	release = func() { _ = file.Close() }
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	for told := false; ; told = true {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return release, nil
		case unsupported(err):
			logger.Warn("The store's volume has no locks: make sure that no two pods use it", "error", err)
			return release, nil
		case !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR):
			release()
			return nil, fmt.Errorf("lock the store's directory: %w", err)
		case !told:
			logger.Info("Waiting for the receiver before to let go of the store's volume")
		}
		select {
		case <-ctx.Done():
			release()
			return nil, fmt.Errorf("waiting for the store's volume: %w", context.Cause(ctx))
		case <-ticker.C:
		}
	}
}

// unsupported says whether the file system cannot lock: network file systems may
// want a file that is open for writing, or know no locks.
func unsupported(err error) bool {
	for _, known := range []error{syscall.EBADF, syscall.ENOLCK, syscall.ENOTSUP, syscall.ENOSYS, syscall.EINVAL} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}
