package http1

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

var (
	errHeaderTooLong = errors.New("the headers of the answer are too long")
	errNoAnswer      = errors.New("the server closed the connection without an answer")
)

// longAgo is a deadline that has passed.
var longAgo = time.Unix(1, 0)

// conn is one connection to a server.
type conn struct {
	net.Conn
	transport *Transport
	address   string
	in        *bufio.Reader
	out       *bufio.Writer
	open      func() bool

	// uses counts exchanges, written the bytes that the last one has sent.
	uses    int
	written int64
	// readable is how much of the answer may still be read while its headers
	// are; negative means any amount.
	readable int64
	// idleSince belongs to the pool.
	idleSince time.Time
}

func newConn(connection net.Conn, address string, transport *Transport) *conn {
	c := &conn{Conn: connection, address: address, transport: transport, open: opened(connection)}
	c.in, c.out = bufio.NewReader(sizedReader{c}), bufio.NewWriter(countingWriter{c})
	return c
}

type countingWriter struct{ *conn }

func (w countingWriter) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p)
	w.written += int64(n)
	return n, err
}

type sizedReader struct{ *conn }

func (r sizedReader) Read(p []byte) (int, error) {
	if r.readable == 0 {
		return 0, errHeaderTooLong
	}
	if r.readable > 0 {
		p = p[:min(int64(len(p)), r.readable)]
	}
	n, err := r.Conn.Read(p)
	if r.readable > 0 {
		r.readable -= int64(n)
	}
	return n, err
}

// exchange sends a request and reads the head of its answer. The connection
// goes back to the pool when the answer's body has been read.
func (c *conn) exchange(request *http.Request) (*http.Response, error) {
	c.uses++
	c.written = 0
	ended := context.AfterFunc(request.Context(), func() { _ = c.SetDeadline(longAgo) })
	response, err := c.send(request)
	if err != nil {
		ended()
		return nil, err
	}
	b := &body{
		source: response.Body, conn: c, ended: ended, ctx: request.Context(),
		keep: !response.Close && !request.Close && response.StatusCode != http.StatusSwitchingProtocols,
	}
	if response.Body == http.NoBody {
		b.release()
		return response, nil
	}
	response.Body = b
	return response, nil
}

func (c *conn) send(request *http.Request) (*http.Response, error) {
	if err := request.Write(c.out); err != nil {
		return nil, fmt.Errorf("the request was not sent: %w", err)
	}
	if err := c.out.Flush(); err != nil {
		return nil, fmt.Errorf("the request was not sent: %w", err)
	}
	c.readable = -1
	if most := c.transport.MaxResponseHeaderBytes; most > 0 {
		c.readable = most
	}
	for {
		response, err := http.ReadResponse(c.in, request)
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = errNoAnswer
		}
		if err != nil {
			return nil, fmt.Errorf("the answer was not read: %w", err)
		}
		informational := response.StatusCode < http.StatusOK && response.StatusCode != http.StatusSwitchingProtocols
		if !informational {
			c.readable = -1
			return response, nil
		}
	}
}

// body is that of an answer.
type body struct {
	source io.ReadCloser
	conn   *conn
	ctx    context.Context //nolint:containedctx // the reader of a body has no other way to learn why it ended
	ended  func() bool
	keep   bool
	done   bool
}

// Read returns the error of the request's context once it has ended.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.source.Read(p)
	switch {
	case err == nil:
	case errors.Is(err, io.EOF):
		b.release()
	case b.ctx.Err() != nil:
		err = b.ctx.Err()
	}
	return n, err
}

// Close closes the connection of a body that was not read to its end.
func (b *body) Close() error {
	if !b.done {
		b.keep = false
		b.release()
	}
	return nil
}

// release ends the use of the connection.
func (b *body) release() {
	if b.done {
		return
	}
	b.done = true
	undisturbed := b.ended()
	if !b.keep || !undisturbed || b.conn.in.Buffered() > 0 {
		_ = b.conn.Close()
		return
	}
	b.conn.transport.pool.put(b.conn)
}
