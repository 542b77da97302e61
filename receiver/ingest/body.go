package ingest

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/postern-dev/postern/receiver/body"
)

const (
	// firstBytes is room that every request has, as part of requestCost: before
	// they have come, a body takes nothing of the budget.
	firstBytes = 512
	// firstChunk is what a body gets that is longer. Memory follows what has
	// arrived, not what was announced, so that an idle sender of a long body costs
	// little.
	firstChunk = 16 << 10
	// minBytesPerSecond is how slow a body may be once it flows.
	minBytesPerSecond = 128 << 10
)

// readBody reads the whole body, up to one byte past the endpoint's limit. A
// body is never truncated: it is read in full or refused.
func (h *Handler) readBody(x *exchange) (*answer, error) {
	limit := x.route().MaxBodyBytes
	announced := x.request.ContentLength
	if announced > limit {
		return nil, &Refusal{Reason: ReasonBodyTooLarge}
	}
	if announced != 0 {
		arrived := h.awaitTurn(x, announced)
		var err error
		x.body, err = read(x, limit, announced)
		arrived()
		if err != nil {
			return nil, err
		}
	}
	x.deadline.clear()
	x.reader = body.NewReader(x.request.Header, x.body, body.Options{
		MaxBytes: limit,
		Reserve:  x.holding.take,
	})
	return nil, nil
}

var errNoMemory = &Refusal{Reason: ReasonOverloaded, Detail: detailOverloaded}

// checkMemory refuses a request whose body could not be decoded for want of
// memory: it would be taken for another event than it is.
func (h *Handler) checkMemory(x *exchange) error {
	if x.reader.Starved() {
		return errNoMemory
	}
	return nil
}

func read(x *exchange, limit, announced int64) ([]byte, error) {
	read := make([]byte, 0, firstBytes)
	for {
		if len(read) == cap(read) {
			grown, err := grow(x, read, limit, announced)
			if err != nil {
				return nil, err
			}
			read = grown
			x.deadline.extend(len(read))
		}
		n, err := x.request.Body.Read(read[len(read):cap(read)])
		read = read[:len(read)+n]
		switch {
		case int64(len(read)) > limit:
			return nil, &Refusal{Reason: ReasonBodyTooLarge}
		case errors.Is(err, io.EOF):
			return read, nil
		case err != nil:
			return nil, refuseBody(err)
		}
	}
}

// grow makes room for more, doubling up to one byte past what can come.
func grow(x *exchange, read []byte, limit, announced int64) ([]byte, error) {
	most := limit + 1
	if announced > 0 {
		most = min(most, announced+1)
	}
	size := min(max(int64(2*cap(read)), firstChunk), most)
	held := int64(cap(read))
	if held == firstBytes {
		held = 0
	}
	// The old part is garbage as soon as it is copied.
	if !x.holding.take(size - held) {
		return nil, errNoMemory
	}
	grown := make([]byte, len(read), size)
	copy(grown, read)
	return grown, nil
}

func refuseBody(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return &Refusal{Reason: ReasonBodyTimeout}
	}
	// The body ended early or its chunks are malformed; the error's text may
	// quote the body, and is left out for that.
	return &Refusal{Reason: ReasonBodyIncomplete}
}

// bodyDeadline is the read deadline of the connection until the body is there.
// It holds for refused requests too: the server reads what is left of a body
// before it sends the answer, and must not wait for ever for it.
type bodyDeadline struct {
	control *http.ResponseController
	from    time.Time
}

func newBodyDeadline(w http.ResponseWriter, timeout time.Duration) bodyDeadline {
	d := bodyDeadline{control: http.NewResponseController(w), from: time.Now().Add(timeout)}
	d.extend(0)
	return d
}

// postpone gives a body the time that it had to wait to be read.
func (d *bodyDeadline) postpone(waited time.Duration) {
	d.from = d.from.Add(waited)
	d.extend(0)
}

// extend gives a body that flows the time that it needs. Writers without
// deadlines (recorders in tests) have none to set.
func (d bodyDeadline) extend(received int) {
	earned := time.Duration(received) * time.Second / minBytesPerSecond
	_ = d.control.SetReadDeadline(d.from.Add(earned))
}

// clear takes the deadline away again: the server goes on reading the
// connection to notice a sender that leaves, and would take the deadline for that.
func (d bodyDeadline) clear() { _ = d.control.SetReadDeadline(time.Time{}) }
