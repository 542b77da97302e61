package http1_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/deliver/http1"
)

// answering is a server that gives every request on a connection an answer that
// is written out, and tells what it has seen.
type answering struct {
	net.Listener
	connections, requests atomic.Int32
	// answer is called with the number of the request, from 1. No answer closes
	// the connection.
	answer func(n int32) (text string)
}

func serveText(t *testing.T, answer func(n int32) string) *answering {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &answering{Listener: listener, answer: answer}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			s.connections.Add(1)
			go s.serve(conn)
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-ended
	})
	return s
}

func (s *answering) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	for {
		request, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, request.Body)
		text := s.answer(s.requests.Add(1))
		if text == "" {
			return
		}
		_, _ = io.WriteString(conn, text)
		if strings.Contains(text, "close\r\n") {
			return
		}
	}
}

func newTransport(t *testing.T) *http1.Transport {
	t.Helper()
	transport := &http1.Transport{
		Dial: new(net.Dialer).DialContext, IdleTimeout: time.Minute, MaxResponseHeaderBytes: 4 << 10,
	}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

func newRequest(ctx context.Context, t *testing.T, address net.Addr, body string) *http.Request {
	t.Helper()
	url := "http://" + address.String() + "/in"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return request
}

// exchange sends a request and reads the whole answer.
func exchange(t *testing.T, transport http.RoundTripper, address net.Addr) (status int, body string, err error) {
	t.Helper()
	response, err := transport.RoundTrip(newRequest(t.Context(), t, address, "{}"))
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

// readRequest reads one request to its end and tells whether there was one.
func readRequest(from io.Reader) bool {
	request, err := http.ReadRequest(bufio.NewReader(from))
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, request.Body)
	return err == nil
}
