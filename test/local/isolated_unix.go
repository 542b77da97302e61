//go:build unix && !linux

package local

import "syscall"

// isolated gives a process a group of its own.
func isolated() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
