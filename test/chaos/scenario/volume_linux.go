package scenario

import (
	"fmt"
	"syscall"
)

func mountMemory(folder string, size int64) error {
	return syscall.Mount("chaos", folder, "tmpfs", 0, fmt.Sprintf("size=%d,mode=700", size))
}

func unmountMemory(folder string) error { return syscall.Unmount(folder, 0) }
