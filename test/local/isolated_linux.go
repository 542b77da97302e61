package local

import "syscall"

// isolated gives a process a group of its own, and ends it with its parent
// however the parent ends.
func isolated() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
