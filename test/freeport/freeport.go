// Package freeport finds ports for the processes that tests and demonstrations start.
package freeport

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync/atomic"
)

// Ports from 32768 on are those that Linux gives to connections: one of them may
// be taken between the moment at which it was free and that at which it is used.
const first, count = 20_000, 12_000

// turn is at another place in every process, so that two seldom meet.
var turn = func() *atomic.Uint32 {
	turn := new(atomic.Uint32)
	turn.Store(rand.Uint32N(count)) //nolint:gosec // a port is no secret
	return turn
}()

// Find finds a port of the loopback interface that nothing listens on, another
// each time.
func Find() (int, error) {
	var err error
	for range count {
		port := first + int(turn.Add(1)%count)
		var listener net.Listener
		if listener, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			return port, listener.Close()
		}
	}
	return 0, fmt.Errorf("no port from %d to %d is free: %w", first, first+count-1, err)
}
