package http1_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postern-dev/postern/receiver/deliver/http1"
)

func TestAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer      string
		status      int
		body        string
		connections int32 // that two exchanges take
	}{
		"with a length":     {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok", 1},
		"chunked":           {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 200, "ok", 1},
		"without a body":    {"HTTP/1.1 204 No Content\r\n\r\n", 204, "", 1},
		"of length 0":       {"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n", 500, "", 1},
		"after others":      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", 204, "", 1},
		"that closes":       {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", 200, "ok", 2},
		"of HTTP/1.0":       {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok", 2},
		"until the end":     {"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok", 200, "ok", 2},
		"that switches":     {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade, close\r\n\r\n", 101, "", 2},
		"followed by more":  {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 418 Teapot\r\n\r\n", 200, "ok", 2},
		"with more at once": {"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 418 Teapot\r\n\r\n", 204, "", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := serveText(t, func(int32) string { return c.answer })
			transport := newTransport(t)
			for range 2 {
				status, body, err := exchange(t, transport, server.Addr())
				if err != nil || status != c.status || body != c.body {
					t.Errorf("got %d %q (%v), want %d %q", status, body, err, c.status, c.body)
				}
			}
			if got := server.connections.Load(); got != c.connections {
				t.Errorf("%d connections were made, want %d", got, c.connections)
			}
		})
	}
}

func TestBrokenAnswers(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"none":             "",
		"not HTTP":         "+PONG\r\nclose\r\n\r\n",
		"cut in the head":  "HTTP/1.1 200 OK\r\nConnection: close\r\n",
		"cut in the body":  "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nok",
		"endless headers":  "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 8<<10) + "\r\nContent-Length: 0\r\n\r\n",
		"endless informal": strings.Repeat("HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n", 1000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := serveText(t, func(int32) string { return answer })
			if status, body, err := exchange(t, newTransport(t), server.Addr()); err == nil {
				t.Errorf("got %d %q and no error", status, body)
			}
			if got := server.requests.Load(); got != 1 {
				t.Errorf("the request was sent %d times", got)
			}
		})
	}
}

// TestNothingIsSentTwice: a server that closes a kept connection when it has got
// a request may have done what the request asks for.
func TestNothingIsSentTwice(t *testing.T) {
	t.Parallel()
	server := serveText(t, func(n int32) string {
		if n == 2 {
			return ""
		}
		return "HTTP/1.1 204 No Content\r\n\r\n"
	})
	transport := newTransport(t)
	if _, _, err := exchange(t, transport, server.Addr()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := exchange(t, transport, server.Addr()); err == nil {
		t.Error("a request without an answer gave no error")
	}
	if got := server.requests.Load(); got != 2 {
		t.Errorf("the server saw %d requests, want 2", got)
	}
}

// TestAConnectionThatTheServerClosedIsNotUsed: it is noticed before anything is sent.
func TestAConnectionThatTheServerClosedIsNotUsed(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	transport := newTransport(t)
	for range 3 {
		if _, _, err := exchange(t, transport, server.Listener.Addr()); err != nil {
			t.Fatal(err)
		}
		server.CloseClientConnections()
	}
}

func TestAnAnswerThatIsNotReadEndsTheConnection(t *testing.T) {
	t.Parallel()
	server := serveText(t, func(int32) string { return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" })
	transport := newTransport(t)
	for range 2 {
		response, err := transport.RoundTrip(newRequest(t.Context(), t, server.Addr(), "{}"))
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
	}
	if got := server.connections.Load(); got != 2 {
		t.Errorf("%d connections were made, want 2", got)
	}
}

func TestTheContextEndsAnExchange(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{}, 1)
	begun := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then the server notices a client that leaves
		if r.URL.Path == "/begun" {
			_, _ = io.WriteString(w, "begun")
			_ = http.NewResponseController(w).Flush()
		}
		arrived <- struct{}{}
		<-r.Context().Done()
	}))
	defer begun.Close()
	transport := newTransport(t)
	for _, path := range []string{"/silent", "/begun"} {
		ctx, cancel := context.WithCancel(t.Context())
		request := newRequest(ctx, t, begun.Listener.Addr(), "{}")
		request.URL.Path = path
		go func() {
			<-arrived
			cancel()
		}()
		response, err := transport.RoundTrip(request)
		if err == nil {
			_, err = io.ReadAll(response.Body)
			_ = response.Body.Close()
		}
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v, want context.Canceled", path, err)
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	transport := newTransport(t)
	for name, change := range map[string]func(*http.Request){
		"https":             func(r *http.Request) { r.URL.Scheme = "https" },
		"an unknown length": func(r *http.Request) { r.ContentLength = -1 },
		"a long body":       func(r *http.Request) { r.ContentLength = http1.MaxBodyBytes + 1 },
	} {
		request := newRequest(t.Context(), t, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}, "{}")
		change(request)
		if _, err := transport.RoundTrip(request); err == nil || errors.As(err, new(*net.OpError)) {
			t.Errorf("%s: got %v, want a refusal before any connection", name, err)
		}
	}
}

// TestRequestsAreThoseOfNetHTTP compares the bytes of requests on the wire.
func TestRequestsAreThoseOfNetHTTP(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*http.Request){
		"as it is":      func(*http.Request) {},
		"without body":  func(r *http.Request) { r.Body, r.ContentLength = http.NoBody, 0 },
		"another host":  func(r *http.Request) { r.Host = "builder.ci.svc.cluster.local" },
		"with a query":  func(r *http.Request) { r.URL.RawQuery = "a=%2f&b" },
		"escaped path":  func(r *http.Request) { r.URL.Path, r.URL.RawPath = "/a/b", "/a%2fb" },
		"another verb":  func(r *http.Request) { r.Method = "REPORT" },
		"named agent":   func(r *http.Request) { r.Header.Set("User-Agent", "bench") },
		"unnamed agent": func(r *http.Request) { r.Header["User-Agent"] = []string{""} },
		"many values":   func(r *http.Request) { r.Header["X-Many"] = []string{"b", "a", ""} },
		"the largest":   func(r *http.Request) { fill(r, http1.MaxBodyBytes) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var sent [2]string
			for i, transport := range []http.RoundTripper{
				&http1.Transport{Dial: recorded(&sent[0])},
				&http.Transport{DialContext: recorded(&sent[1]), DisableCompression: true},
			} {
				request := newRequest(t.Context(), t, &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 80}, `{"a":1}`)
				change(request)
				response, err := transport.RoundTrip(request)
				if err != nil {
					t.Fatalf("transport %d: %v", i, err)
				}
				_ = response.Body.Close()
			}
			if sent[0] != sent[1] || sent[0] == "" {
				t.Errorf("sent\n%s\nand net/http\n%s", sent[0], sent[1])
			}
		})
	}
}

func fill(r *http.Request, length int) {
	body := bytes.Repeat([]byte("x"), length)
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(length)
}

// recorded dials a server that takes one request, keeps its bytes and closes.
func recorded(into *string) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer func() { _ = server.Close() }()
			var bytes strings.Builder
			request := readRequest(io.TeeReader(server, &bytes))
			*into = bytes.String()
			if request {
				_, _ = io.WriteString(server, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
			}
		}()
		return client, nil
	}
}

// TestIdleConnectionsEnd: without anybody who asks for them.
func TestIdleConnectionsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan struct{})
		transport := &http1.Transport{
			IdleTimeout: time.Second,
			Dial: func(context.Context, string, string) (net.Conn, error) {
				client, server := net.Pipe()
				go func() {
					for readRequest(server) {
						_, _ = io.WriteString(server, "HTTP/1.1 204 No Content\r\n\r\n")
					}
					close(ended)
				}()
				return client, nil
			},
		}
		began := time.Now()
		if _, _, err := exchange(t, transport, &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 80}); err != nil {
			t.Fatal(err)
		}
		<-ended
		if took := time.Since(began); took < time.Second || took > 2*time.Second {
			t.Errorf("the connection ended after %v, want one to two seconds", took)
		}
	})
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	var served atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served.Add(1)
		body, _ := io.ReadAll(r.Body)
		_, _ = w.Write(body)
	}))
	defer server.Close()
	transport := newTransport(t)
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for i := range 50 {
				text := fmt.Sprintf("%d/%d", worker, i)
				response, err := transport.RoundTrip(newRequest(t.Context(), t, server.Listener.Addr(), text))
				if err != nil {
					t.Error(err)
					return
				}
				body, err := io.ReadAll(response.Body)
				_ = response.Body.Close()
				if err != nil || string(body) != text {
					t.Errorf("got %q (%v), want %q", body, err, text)
				}
			}
		})
	}
	group.Wait()
	if served.Load() != 400 {
		t.Errorf("%d requests were served, want 400", served.Load())
	}
}
