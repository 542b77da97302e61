package main

import "syscall"

// isolated gives a process a group of its own, and ends it with the demo however
// the demo ends.
func isolated() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
