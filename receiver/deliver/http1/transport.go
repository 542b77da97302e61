// Package http1 sends small requests over plain HTTP/1.1 connections that are
// kept. An exchange happens on the goroutine of its caller, without the two
// that net/http has for each connection: at thousands of deliveries a second
// handing each one over twice costs more than sending it. The messages
// themselves are written and read by net/http.
//
// The request is written before the answer is read, so that it must fit in the
// buffers of a socket; see [MaxBodyBytes].
//
// It imports nothing of Postern.
package http1

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// MaxBodyBytes is how long the body of a request may be.
const MaxBodyBytes = 32 << 10

var errTooLong = errors.New("the body of the request is too long or of unknown length")

// Transport is an [http.RoundTripper] for requests to http URLs. Fields must
// not be changed once it is in use.
type Transport struct {
	// Dial makes connections.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// IdleTimeout is how long a connection is kept that nobody uses.
	IdleTimeout time.Duration
	// MaxResponseHeaderBytes bounds the headers of an answer; 0 is no bound.
	MaxResponseHeaderBytes int64

	pool pool
}

// RoundTrip implements [http.RoundTripper]. Errors are those of Dial, of the
// connection and of malformed answers, or of the request's context once it has
// ended. A request that may have reached the server is never sent twice.
func (t *Transport) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Body != nil {
		defer func() { _ = request.Body.Close() }()
	}
	if request.URL.Scheme != "http" {
		return nil, fmt.Errorf("the scheme of %s is not http", request.URL.Redacted())
	}
	if request.ContentLength < 0 || request.ContentLength > MaxBodyBytes {
		return nil, errTooLong
	}
	ctx, address := request.Context(), addressOf(request)
	for {
		c, err := t.connection(ctx, address)
		if err != nil {
			return nil, err
		}
		response, err := c.exchange(request)
		if err == nil {
			return response, nil
		}
		_ = c.Close()
		if ended := ctx.Err(); ended != nil {
			return nil, ended
		}
		if c.uses == 1 || c.written > 0 {
			return nil, err
		}
		// The server had closed the connection before it got anything.
		if request, err = again(request); err != nil {
			return nil, err
		}
	}
}

func addressOf(request *http.Request) string {
	if request.URL.Port() != "" {
		return request.URL.Host
	}
	return net.JoinHostPort(request.URL.Hostname(), "80")
}

// connection is one that is kept, or else a new one.
func (t *Transport) connection(ctx context.Context, address string) (*conn, error) {
	if c := t.pool.get(address, t.IdleTimeout); c != nil {
		return c, nil
	}
	connection, err := t.Dial(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return newConn(connection, address, t), nil
}

// again is the request with its body from the start.
func again(request *http.Request) (*http.Request, error) {
	if request.GetBody == nil {
		return request, nil
	}
	body, err := request.GetBody()
	if err != nil {
		return nil, err
	}
	repeated := *request
	repeated.Body = body
	return &repeated, nil
}

// CloseIdleConnections closes the connections that nobody uses.
func (t *Transport) CloseIdleConnections() { t.pool.closeAll() }
