package ingest_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/ingest"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/route/routetest"
	"github.com/postern-dev/postern/test/wait"
)

// connection is a socket on which a test writes what no client would.
type connection struct {
	net.Conn
	reader *bufio.Reader
}

func dial(t *testing.T, r *receiver) *connection {
	t.Helper()
	conn, err := net.Dial("tcp", r.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(wait.Patience)); err != nil {
		t.Fatal(err)
	}
	return &connection{Conn: conn, reader: bufio.NewReader(conn)}
}

func (c *connection) write(t *testing.T, parts ...string) {
	t.Helper()
	if _, err := io.WriteString(c, strings.Join(parts, "")); err != nil {
		t.Fatalf("writing: %v", err)
	}
}

// end closes the sending half, as a sender that dies does; it can still read.
func (c *connection) end(t *testing.T) {
	t.Helper()
	if err := c.Conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
}

func (c *connection) expect(t *testing.T, status int, contains string) *http.Response {
	t.Helper()
	response, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("answer cut short: %v", err)
	}
	if response.StatusCode != status || !strings.Contains(string(body), contains) {
		t.Errorf("answer %d %s, want %d %s", response.StatusCode, body, status, contains)
	}
	return response
}

// expectEnd wants the server to close the connection.
func (c *connection) expectEnd(t *testing.T) {
	t.Helper()
	if rest, err := io.ReadAll(c.reader); err != nil || len(rest) > 0 {
		t.Errorf("the connection goes on: %q, %v", rest, err)
	}
}

// head is a signed request's head, without the lines about its length.
func head(body []byte, lines ...string) string {
	header := http.Header{}
	routetest.SignGitHub(header, routetest.Key, "delivery", "push", body)
	var text strings.Builder
	text.WriteString("POST /ci/hook HTTP/1.1\r\nHost: hooks.example.com\r\n")
	_ = header.Write(&text)
	for _, line := range lines {
		text.WriteString(line + "\r\n")
	}
	return text.String() + "\r\n"
}

func chunked(chunks ...string) string {
	var text strings.Builder
	for _, chunk := range chunks {
		fmt.Fprintf(&text, "%x\r\n%s\r\n", len(chunk), chunk)
	}
	return text.String()
}

const asChunks = "Transfer-Encoding: chunked"

func lengthOf(n int) string { return fmt.Sprintf("Content-Length: %d", n) }

func TestBodiesThatEndEarly(t *testing.T) {
	t.Parallel()
	whole := string(payload)
	for name, raw := range map[string]string{
		"chunks without an end":     head(payload, asChunks) + chunked(whole),
		"within a chunk":            head(payload, asChunks) + fmt.Sprintf("%x\r\n%s", len(whole)+5, whole),
		"within a chunk's length":   head(payload, asChunks) + "1",
		"no chunk at all":           head(payload, asChunks),
		"short of its length":       head(payload, lengthOf(len(whole)+1)) + whole,
		"nothing of its length":     head(payload, lengthOf(len(whole))),
		"malformed chunk length":    head(payload, asChunks) + "xyz\r\n" + whole + "\r\n0\r\n\r\n",
		"negative chunk length":     head(payload, asChunks) + "-1\r\n" + whole + "\r\n0\r\n\r\n",
		"chunk longer than it says": head(payload, asChunks) + "2\r\n" + whole + "\r\n0\r\n\r\n",
		"overflowing chunk length":  head(payload, asChunks) + "ffffffffffffffffff\r\n" + whole + "\r\n0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReceiver(t, ingest.Options{}, routetest.GitHub("hook"))
			c := dial(t, r)
			c.write(t, raw)
			c.end(t)
			c.expect(t, 400, `{"error":"body_incomplete"}`)
			c.expectEnd(t)
			if n := r.count(t, "uid-hook"); n != 0 {
				t.Errorf("%d events in the store", n)
			}
		})
	}
}

func TestWholeChunkedBodyIsAccepted(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, ingest.Options{}, routetest.GitHub("hook"))
	c := dial(t, r)
	c.write(t, head(payload, asChunks), chunked(string(payload[:5]), string(payload[5:])), "0\r\n\r\n")
	c.expect(t, 200, `"status":"accepted"`)
	if event := r.stored(t, "uid-hook").Event; !bytes.Equal(event.Body, payload) {
		t.Errorf("body is %q", event.Body)
	}
}

func TestSlowBodies(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"by length": head(payload, lengthOf(len(payload))) + string(payload[:10]),
		"by chunks": head(payload, asChunks) + chunked(string(payload[:10])),
		"never":     head(payload, lengthOf(len(payload))),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReceiver(t, ingest.Options{BodyTimeout: 50 * time.Millisecond}, routetest.GitHub("hook"))
			c := dial(t, r)
			c.write(t, raw)
			c.expect(t, 408, `{"error":"body_timeout"}`)
			c.expectEnd(t)
			if n := r.count(t, "uid-hook"); n != 0 {
				t.Errorf("%d events in the store", n)
			}
		})
	}
}

// TestSlowBodyOfARefusedRequest: the server wants the body of a request out of
// the way before it answers, and must not wait for ever for it.
func TestSlowBodyOfARefusedRequest(t *testing.T) {
	t.Parallel()
	options := ingest.Options{BodyTimeout: 50 * time.Millisecond}
	r := newReceiver(t, options, routetest.GitHub("hook", ranges("192.0.2.1/32")))
	for status, target := range map[int]string{404: "/ci/unknown", 403: "/ci/hook"} {
		c := dial(t, r)
		c.write(t, strings.Replace(head(payload, lengthOf(len(payload))), "/ci/hook", target, 1), string(payload[:3]))
		c.expect(t, status, `"error"`)
		c.expectEnd(t)
	}
}

// TestDeadlineOfOneBodyIsNotThatOfTheNext keeps one connection past the body
// deadline of its first request.
func TestDeadlineOfOneBodyIsNotThatOfTheNext(t *testing.T) {
	t.Parallel()
	const timeout = 100 * time.Millisecond
	r := newReceiver(t, ingest.Options{BodyTimeout: timeout}, routetest.GitHub("hook"))
	c := dial(t, r)
	c.write(t, head(payload, lengthOf(len(payload))), string(payload))
	c.expect(t, 200, `"status":"accepted"`)
	<-time.After(2 * timeout)
	c.write(t, head(payload, lengthOf(len(payload))), string(payload))
	c.expect(t, 200, `"status":"duplicate"`)
}

func TestTooLargeIsSaidBeforeTheBody(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, ingest.Options{}, routetest.GitHub("hook", maxBody(100)))
	c := dial(t, r)
	c.write(t, head(payload, lengthOf(1<<30), "Expect: 100-continue"))
	c.expect(t, 413, `{"error":"body_too_large"}`)
}

// TestSmuggling sends what two servers in a row would cut into requests
// differently. Whatever is cut off is a request of its own here, and no event
// without a signature of its own.
func TestSmuggling(t *testing.T) {
	t.Parallel()
	smuggled := "POST /ci/hook HTTP/1.1\r\nHost: hooks.example.com\r\nContent-Length: 2\r\n\r\n{}"
	hidden := payload
	t.Run("length and chunks", func(t *testing.T) {
		t.Parallel()
		r := newReceiver(t, ingest.Options{}, routetest.GitHub("hook"))
		c := dial(t, r)
		body := chunked(string(hidden)) + "0\r\n\r\n" + smuggled
		c.write(t, head(hidden, lengthOf(len(body)), asChunks), body)
		c.expect(t, 200, `"status":"accepted"`)
		c.expect(t, 401, `{"error":"signature_missing"}`)
		if n := r.count(t, "uid-hook"); n != 1 {
			t.Errorf("%d events, want one", n)
		}
	})
	for name, lines := range map[string][]string{
		"two lengths":              {lengthOf(len(hidden)), lengthOf(len(hidden) + 5)},
		"two transfer encodings":   {asChunks, "Transfer-Encoding: identity"},
		"unknown encoding":         {"Transfer-Encoding: xchunked"},
		"encoding with a tab":      {"Transfer-Encoding:\x0bchunked"},
		"list of encodings":        {"Transfer-Encoding: gzip, chunked"},
		"signed length":            {"Content-Length: +5"},
		"length in hex":            {"Content-Length: 0x5"},
		"space before the colon":   {"Content-Length : 5"},
		"folded line":              {"X-A: 1", " folded: 2"},
		"bare line feed in a name": {"X-A\nX-B: 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReceiver(t, ingest.Options{}, routetest.GitHub("hook"))
			c := dial(t, r)
			c.write(t, head(hidden, lines...), string(hidden))
			c.end(t)
			response, err := http.ReadResponse(c.reader, nil)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			if response.StatusCode < 400 || response.StatusCode > 501 {
				t.Errorf("answer %d", response.StatusCode)
			}
			if n := r.count(t, "uid-hook"); n != 0 {
				t.Errorf("%d events in the store", n)
			}
		})
	}
}

func TestDuplicatedHeaders(t *testing.T) {
	t.Parallel()
	forged := "X-Hub-Signature-256: sha256=" + strings.Repeat("a", 64)
	for name, raw := range map[string]string{
		"forged signature after":  head(payload, forged, lengthOf(len(payload))),
		"forged signature before": strings.Replace(head(payload, lengthOf(len(payload))), "Host:", forged+"\r\nHost:", 1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReceiver(t, ingest.Options{}, routetest.GitHub("hook"))
			c := dial(t, r)
			c.write(t, raw, string(payload))
			c.expect(t, 401, `"error":"signature_`)
			if n := r.count(t, "uid-hook"); n != 0 {
				t.Errorf("%d events in the store", n)
			}
		})
	}
	t.Run("two hosts", func(t *testing.T) {
		t.Parallel()
		r := newReceiver(t, ingest.Options{}, routetest.GitHub("hook"))
		c := dial(t, r)
		c.write(t, head(payload, "Host: other", lengthOf(len(payload))), string(payload))
		c.expect(t, 400, "")
	})
}

func TestHostIsComparedWithoutPortCaseAndDot(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, ingest.Options{}, routetest.GitHub("hook", func(e *route.Endpoint) {
		e.Hosts = []string{"hooks.example.com"}
	}))
	for _, host := range []string{
		"hooks.example.com", "HOOKS.example.com:8080", "hooks.example.com.", "hooks.example.com.:443",
	} {
		c := dial(t, r)
		c.write(t, strings.Replace(head(payload, lengthOf(len(payload))), "hooks.example.com", host, 1), string(payload))
		c.expect(t, 200, "")
	}
}

func TestControlCharactersDoNotReachTheLog(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, ingest.Options{})
	c := dial(t, r)
	c.write(t, "POST /x%1b%5b31m%0d%0aevil HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
	c.expect(t, 404, "unknown_endpoint")
	if log := r.log.String(); strings.Contains(log, "\x1b") || strings.Count(log, "\n") != 1 {
		t.Errorf("log is %q", log)
	}
}
