package queue

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
)

// maxLostClaims bounds the names that are kept of one queue.
const maxLostClaims = 32

// lostClaims are this process's claims whose answers were lost. What they took
// is leased to nobody; the next claim of the queue names them, so that the store
// has it taken again, and refuses those of them that it gets only then.
type lostClaims struct {
	mu     sync.Mutex
	queues map[ID][]lostClaim
}

// lostClaim is of interest until what it can have leased is due by itself.
type lostClaim struct {
	name  string
	until time.Time
}

func (l *lostClaims) add(queue ID, name string, lease time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.queues == nil {
		l.queues = map[ID][]lostClaim{}
	}
	claims := append(l.queues[queue], lostClaim{name: name, until: time.Now().Add(lease)})
	l.queues[queue] = claims[max(0, len(claims)-maxLostClaims):]
}

// of returns the names of a queue's lost claims with commas between.
func (l *lostClaims) of(queue ID) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	claims, now := l.queues[queue], time.Now()
	for len(claims) > 0 && !claims[0].until.After(now) {
		claims = claims[1:]
	}
	if len(claims) == 0 {
		delete(l.queues, queue)
		return ""
	}
	l.queues[queue] = claims
	names := make([]string, len(claims))
	for i, claim := range claims {
		names[i] = claim.name
	}
	return strings.Join(names, ",")
}

// newName makes a name that nothing else has; all are of one length, so that
// none is part of another.
func newName() string {
	return fmt.Sprintf("%016x", rand.Uint64()) //nolint:gosec // nobody gains by guessing it
}
