//go:build unix

package http1

import (
	"errors"
	"net"
	"syscall"
)

// opened returns a function that tells whether a connection that nobody uses
// is as the last exchange left it: open, with nothing to read.
func opened(connection net.Conn) func() bool {
	plain, ok := connection.(syscall.Conn)
	if !ok {
		return func() bool { return true }
	}
	raw, err := plain.SyscallConn()
	if err != nil {
		return func() bool { return false }
	}
	var open bool
	var one [1]byte
	look := func(fd uintptr) bool {
		_, err := syscall.Read(int(fd), one[:])
		open = errors.Is(err, syscall.EAGAIN)
		return true
	}
	return func() bool {
		open = false
		return raw.Read(look) == nil && open
	}
}
