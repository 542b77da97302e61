package server_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/route/routetest"
	"github.com/postern-dev/postern/receiver/server"
	"github.com/postern-dev/postern/test/wait"
)

// The tests of this file send what an outsider without a secret sends to use a
// receiver up. Some measure the memory of the whole process and run alone.

// h2conn is an HTTP/2 connection on which a test writes what no client would.
// What the server sends is read and thrown away, but for the answers' statuses.
type h2conn struct {
	net.Conn
	framer  *http2.Framer
	encoder *hpack.Encoder
	block   bytes.Buffer
	stream  uint32
	// statuses has one entry for each answer; "reset" for a stream that the server ended.
	statuses chan string
	closed   chan struct{}
}

// dialH2 connects without TLS, with a flow-control window of the given size for
// answers.
func dialH2(t testing.TB, w *world, window uint32) *h2conn {
	t.Helper()
	conn, err := net.Dial("tcp", w.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	c := &h2conn{Conn: conn, stream: 1, statuses: make(chan string, 4096), closed: make(chan struct{})}
	c.framer, c.encoder = http2.NewFramer(conn, conn), hpack.NewEncoder(&c.block)
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	if err := c.framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: window}); err != nil {
		t.Fatal(err)
	}
	go c.read()
	return c
}

func (c *h2conn) read() {
	defer close(c.closed)
	c.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	for {
		frame, err := c.framer.ReadFrame()
		if err != nil {
			return
		}
		var status string
		switch frame := frame.(type) {
		case *http2.MetaHeadersFrame:
			status = frame.PseudoValue("status")
		case *http2.RSTStreamFrame:
			status = "reset"
		default:
			continue
		}
		select {
		case c.statuses <- status:
		default: // nobody looks
		}
	}
}

// open sends the head of a request. A server that has had enough closes the
// connection; that is no failure of the test.
func (c *h2conn) open(ended bool, fields ...hpack.HeaderField) {
	c.block.Reset()
	for _, field := range fields {
		_ = c.encoder.WriteField(field) // a buffer takes everything
	}
	_ = c.framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: c.stream, BlockFragment: c.block.Bytes(), EndHeaders: true, EndStream: ended,
	})
	c.stream += 2
}

func h2request(method, path string, more ...hpack.HeaderField) []hpack.HeaderField {
	return append([]hpack.HeaderField{
		{Name: ":method", Value: method}, {Name: ":scheme", Value: "http"},
		{Name: ":authority", Value: "a"}, {Name: ":path", Value: path},
	}, more...)
}

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

func of(namespace string) func(*route.Endpoint) {
	return func(e *route.Endpoint) { e.Namespace, e.Path = namespace, "/"+namespace+"/"+e.Name }
}

// pushTo sends a signed delivery to the endpoint of another tenant.
func (w *world) pushTo(t testing.TB, path, id string) reply {
	t.Helper()
	request := w.pushRequest(t, id)
	request.URL.Path = path
	return w.do(t, request)
}

// TestStreamsWithoutABodyCostOthersNothing opens 34 connections with 250
// requests each that send no byte of their bodies. A signed request to another
// tenant's endpoint, from the same address, is accepted.
func TestStreamsWithoutABodyCostOthersNothing(t *testing.T) { //nolint:paralleltest // it measures the process
	w := start(t, newTarget(t, nil).URL)
	w.load(t, routetest.GitHub("hook"), routetest.GitHub("other", of("shop")))
	before := held()
	for range 34 {
		c := dialH2(t, w, 65535)
		for range 250 {
			c.open(false, h2request(http.MethodPost, "/ci/hook", hpack.HeaderField{Name: "content-length", Value: "100000"})...)
		}
	}
	for i := range 50 {
		if got := w.pushTo(t, "/shop/other", strconv.Itoa(i)); got.status != http.StatusOK {
			t.Fatalf("signed request %d of another tenant was answered %d %s", i, got.status, got.body)
		}
	}
	if cost := held() - before; cost > 96<<20 {
		t.Errorf("%d MiB are held for requests that sent nothing", cost>>20)
	}
}

// TestHeadersOfBlockedAnswersAreBounded has 50 connections that take no answer
// ask for a path that does not exist, 250 times each with 430 headers from the
// compression table. Beside the requests' own budget little is held, and others
// are served.
func TestHeadersOfBlockedAnswersAreBounded(t *testing.T) { //nolint:paralleltest // it measures the process
	for name, count := range map[string]int{"within the limit of bytes": 430, "beyond it": 600} {
		t.Run(name, func(t *testing.T) { //nolint:paralleltest // likewise
			w := start(t, newTarget(t, nil).URL)
			w.load(t, routetest.GitHub("hook"))
			before := held()
			fields := h2request(http.MethodPost, "/no/such")
			for range count {
				fields = append(fields, hpack.HeaderField{Name: "x", Value: "y"})
			}
			for range 50 {
				c := dialH2(t, w, 0)
				for range 250 {
					c.open(true, fields...)
				}
			}
			most := int64(0)
			for i := range 20 {
				if got := w.push(t, strconv.Itoa(i)); got.status != http.StatusOK {
					t.Fatalf("a signed request was answered %d %s", got.status, got.body)
				}
				most = max(most, held()-before)
			}
			t.Logf("%d MiB are held", most>>20)
			if most > 128<<20 {
				t.Errorf("%d MiB are held for answers that are not taken", most>>20)
			}
		})
	}
}

// held is what the process holds: its heap and the stacks of its goroutines.
func held() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc + stats.StackInuse)
}

// TestManyHeadersAreRefused: the number of headers is bounded, not their bytes
// alone.
func TestManyHeadersAreRefused(t *testing.T) {
	t.Parallel()
	w := start(t, newTarget(t, nil).URL)
	w.load(t, routetest.GitHub("hook"))
	request := w.pushRequest(t, "1")
	for i := range 128 {
		request.Header.Set("X-"+strconv.Itoa(i), "1")
	}
	got := w.do(t, request)
	if got.status != http.StatusRequestHeaderFieldsTooLarge || !strings.Contains(got.body, "too_many_headers") {
		t.Errorf("answer %d %s", got.status, got.body)
	}
}

// TestPathsOfHTTP2HaveNoBlanks: a request line that is made of such a path or
// query would be another one, or none.
func TestPathsOfHTTP2HaveNoBlanks(t *testing.T) {
	t.Parallel()
	builder := newTarget(t, nil)
	w := start(t, builder.URL)
	w.load(t, routetest.GitHub("hook", routetest.Provider("none")))
	c := dialH2(t, w, 65535)
	paths := []string{"/ci/hook?a=b HTTP/1.1", "/ci/hook?q= ", "/ci/hook ", "/ci/ hook"}
	for c := range 0x21 {
		paths = append(paths, "/ci/hook?a="+string(rune(c))+"b", "/ci"+string(rune(c))+"/hook")
	}
	for _, path := range append(paths, "/ci/hook?a=\x7f") {
		c.open(true, h2request(http.MethodPost, path)...)
		select {
		case status := <-c.statuses:
			if status != "400" && status != "reset" {
				t.Errorf("%q is answered %s", path, status)
			}
		case <-c.closed:
			c = dialH2(t, w, 65535)
		case <-time.After(wait.Patience):
			t.Fatalf("%q is not answered", path)
		}
	}
	if got := w.push(t, "1"); got.status != http.StatusOK {
		t.Fatalf("answer %d %s", got.status, got.body)
	}
	builder.next(t)
	if n := len(builder.got); n != 0 {
		t.Errorf("the target got %d of them", n)
	}
}

// TestOneClientLeavesConnectionsForOthers: an address never has more connections
// than are left, unless it is a trusted proxy's.
func TestOneClientLeavesConnectionsForOthers(t *testing.T) {
	t.Parallel()
	for name, trusted := range map[string]bool{"client": false, "trusted proxy": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t, newTarget(t, nil).URL, func(o *server.Options) {
				o.MaxConnections = 8
				if trusted {
					o.TrustedProxies = loopback
				}
			})
			w.load(t, routetest.GitHub("hook"))
			open := 0
			for range 6 {
				c := dial(t, w)
				_, err := fmt.Fprint(c, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
				if err != nil {
					continue
				}
				if response, err := http.ReadResponse(c.reader, nil); err == nil {
					_ = response.Body.Close()
					open++
				}
			}
			if want := map[bool]int{false: 4, true: 6}[trusted]; open != want {
				t.Errorf("%d of 8 connections are open, want %d", open, want)
			}
		})
	}
}
