package scenario

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// mount makes the small disk of a scenario that has one. Where that is not
// allowed, the faults that need it are skipped with a reason.
func (r *run) mount() error {
	if r.Volume == 0 || os.Getuid() != 0 {
		return nil
	}
	folder := filepath.Join(r.folder, "volume")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	if err := mountMemory(folder, r.Volume); err != nil {
		if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, os.ErrPermission) {
			return nil
		}
		return fmt.Errorf("mount a disk of %d bytes at %s: %w", r.Volume, folder, err)
	}
	r.env.Volume, r.mounted = folder, true
	return nil
}

func (r *run) unmount() error {
	if !r.mounted {
		return nil
	}
	r.mounted = false
	var err error
	for range 50 { // processes that have just ended may still be let go of
		if err = unmountMemory(r.env.Volume); err == nil {
			return nil
		}
		pause(20 * time.Millisecond)
	}
	return fmt.Errorf("unmount %s: %w", r.env.Volume, err)
}

func pause(length time.Duration) {
	timer := time.NewTimer(length)
	defer timer.Stop()
	<-timer.C
}
