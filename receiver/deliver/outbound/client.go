package outbound

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/postern-dev/postern/receiver/deliver/http1"
)

const (
	// excerptBytes is how much of an answer is kept for people.
	excerptBytes = 4 << 10
	// drainBytes is how much more is read to keep the connection usable.
	drainBytes = 64 << 10
	// excerptTime bounds the reading of an answer that is kept for people: what
	// decides is known before it.
	excerptTime = 2 * time.Second
	// relayBytes bounds an answer that is relayed to the sender.
	relayBytes = 1 << 20
	// headerBytes bounds the headers of an answer.
	headerBytes = 64 << 10
	// connectTimeout bounds a connection that is made to see whether it can be.
	connectTimeout = time.Second
	// dialTimeout is short: a Service in the same cluster answers at once or never.
	dialTimeout = 5 * time.Second
	// idleTimeout is below the keep-alive time of common servers (5 s and
	// more), so that a request seldom meets a connection that is just closing.
	idleTimeout = 4 * time.Second
	// idlePerHost never binds: a host has at most as many idle connections as
	// its targets had requests in flight.
	idlePerHost = 1024
)

// ErrTooLarge means that an answer exceeds what can be relayed.
var ErrTooLarge = errors.New("response exceeds 1 MiB")

// Client sends requests to destinations. It follows no redirects, uses no
// proxy and decodes nothing.
type Client struct {
	targets  line
	forwards line
}

// line is one way to targets.
type line struct {
	http.RoundTripper
	// small carries requests with small bodies; nil when there is one way for all.
	small *http1.Transport
	// dial makes a bare connection; nil when there is no such thing.
	dial Dial
}

// NewClient returns a client that obeys the network's deny-list.
func NewClient(network Network) *Client {
	return &Client{targets: newLine(network.dial(network.AllowLoopback)), forwards: newLine(network.dial(true))}
}

// NewClientWith returns a client over another transport, without a deny-list.
func NewClientWith(transport http.RoundTripper) *Client {
	only := line{RoundTripper: transport}
	return &Client{targets: only, forwards: only}
}

func newLine(dial Dial) line {
	return line{
		RoundTripper: newTransport(dial),
		small:        &http1.Transport{Dial: dial, IdleTimeout: idleTimeout, MaxResponseHeaderBytes: headerBytes},
		dial:         dial,
	}
}

func newTransport(dial Dial) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		DialContext:            dial,
		Protocols:              protocols,
		DisableCompression:     true,
		MaxIdleConnsPerHost:    idlePerHost,
		IdleConnTimeout:        idleTimeout,
		TLSHandshakeTimeout:    dialTimeout,
		MaxResponseHeaderBytes: headerBytes,
	}
}

// RoundTrip takes the way that suits the request.
func (l line) RoundTrip(request *http.Request) (*http.Response, error) {
	if l.small != nil && request.URL.Scheme == "http" && request.ContentLength <= http1.MaxBodyBytes {
		return l.small.RoundTrip(request)
	}
	return l.RoundTripper.RoundTrip(request)
}

// Close gives up idle connections.
func (c *Client) Close() {
	for _, line := range []line{c.targets, c.forwards} {
		if idle, ok := line.RoundTripper.(interface{ CloseIdleConnections() }); ok {
			idle.CloseIdleConnections()
		}
		if line.small != nil {
			line.small.CloseIdleConnections()
		}
	}
}

// Connect makes a connection and closes it: whether a target that could not
// be reached is there again is known so without a request.
func (c *Client) Connect(ctx context.Context, destination *Destination) error {
	dial := c.line(destination).dial
	if dial == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	conn, err := dial(ctx, "tcp", destination.dialAddress())
	if err != nil {
		return err
	}
	return conn.Close()
}

// Answer is what came back from a target.
type Answer struct {
	Status int
	Header http.Header
	// Body is an excerpt after Send and the whole body after Relay.
	Body []byte
}

// Send makes one attempt and keeps the start of the answer. The status alone
// decides: trouble with the body after it is ignored.
func (c *Client) Send(destination *Destination, request *http.Request) (Answer, error) {
	request, cancel := withTimeout(destination, request)
	defer cancel()
	response, err := c.line(destination).RoundTrip(request)
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.ContentLength != 0 {
		defer time.AfterFunc(excerptTime, cancel).Stop()
	}
	return Answer{Status: response.StatusCode, Header: response.Header, Body: excerpt(response)}, nil
}

// excerpt reads the start of an answer, and if that is nearly all of it the
// rest too, so that the connection can be used again.
func excerpt(response *http.Response) []byte {
	if response.ContentLength == 0 {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, excerptBytes))
	if err == nil && len(body) == excerptBytes {
		_, _ = io.CopyN(io.Discard, response.Body, drainBytes)
	}
	return body
}

// Relay makes one attempt and returns the whole answer.
func (c *Client) Relay(destination *Destination, request *http.Request) (Answer, error) {
	request, cancel := withTimeout(destination, request)
	defer cancel()
	response, err := c.line(destination).RoundTrip(request)
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, relayBytes+1))
	if err != nil {
		return Answer{}, err
	}
	if len(body) > relayBytes {
		return Answer{}, ErrTooLarge
	}
	return Answer{Status: response.StatusCode, Header: response.Header, Body: body}, nil
}

func (c *Client) line(destination *Destination) line {
	if destination.forwarded {
		return c.forwards
	}
	return c.targets
}

func withTimeout(destination *Destination, request *http.Request) (*http.Request, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(request.Context(), destination.timeout)
	return request.WithContext(ctx), cancel
}
