package traffic

import (
	"bytes"
	"cmp"
	"net"
	"net/http"
	"strconv"
	"time"
)

// Kind is what a target does with a request.
type Kind string

// Kinds of behaviour.
const (
	// OK answers 200.
	OK Kind = "ok"
	// Fail answers with Status, 500 by default, and with Retry-After if it is set.
	Fail Kind = "fail"
	// Busy answers 429 with Retry-After.
	Busy Kind = "busy"
	// Gone answers 410.
	Gone Kind = "gone"
	// Redirect answers 302 to another path of the target.
	Redirect Kind = "redirect"
	// Hang does not answer.
	Hang Kind = "hang"
	// Reset breaks the connection.
	Reset Kind = "reset"
	// Slow answers 200 after Delay, unless the receiver has left by then.
	Slow Kind = "slow"
	// Huge answers 200 with a body of 8 MiB.
	Huge Kind = "huge"
)

const hugeBytes = 8 << 20

// Behaviour is what a target does with a request.
type Behaviour struct {
	Kind Kind
	// Status is that of Fail.
	Status int
	// Page is the size of the body of Fail in bytes.
	Page int
	// RetryAfter is the header in seconds, for Busy and Fail.
	RetryAfter int
	// Delay is how long Slow takes.
	Delay time.Duration
}

// Share is a behaviour and how often it is chosen, relative to the others.
type Share struct {
	Behaviour
	Weight float64
}

// mix chooses behaviours by weight.
type mix struct {
	shares []Share
	total  float64
}

func newMix(shares []Share) mix {
	made := mix{shares: shares}
	for _, share := range shares {
		made.total += share.Weight
	}
	return made
}

// choose takes a number in [0, 1).
func (m *mix) choose(random float64) Behaviour {
	left := random * m.total
	for _, share := range m.shares {
		if left -= share.Weight; left < 0 {
			return share.Behaviour
		}
	}
	return Behaviour{Kind: OK}
}

// answer behaves and returns the status that was sent, 0 for none.
func (b Behaviour) answer(w http.ResponseWriter, r *http.Request) int {
	switch b.Kind {
	case Hang:
		<-r.Context().Done()
		return 0
	case Reset:
		reset(w)
		return 0
	case Slow:
		timer := time.NewTimer(b.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
		}
	case Redirect:
		w.Header().Set("Location", "/elsewhere")
	}
	if gone(r.Context()) {
		return 0
	}
	status := b.status()
	if b.RetryAfter > 0 && !succeeded(status) {
		w.Header().Set("Retry-After", strconv.Itoa(b.RetryAfter))
	}
	w.WriteHeader(status)
	switch {
	case b.Kind == Huge:
		_, _ = w.Write(make([]byte, hugeBytes)) // the receiver need not read all of it
	case b.Page > 0:
		// Bytes that are not UTF-8, which must not become more when they are kept.
		_, _ = w.Write(bytes.Repeat([]byte{0xfe}, b.Page))
	}
	return status
}

func (b Behaviour) status() int {
	switch b.Kind {
	case Fail:
		return cmp.Or(b.Status, http.StatusInternalServerError)
	case Busy:
		return http.StatusTooManyRequests
	case Gone:
		return http.StatusGone
	case Redirect:
		return http.StatusFound
	default:
		return http.StatusOK
	}
}

// reset closes the connection so that the peer sees a reset, not an end.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // without it the peer sees an end, which does as well
	}
	conn.Close()
}
