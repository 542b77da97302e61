package deliver_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postern-dev/postern/receiver/deliver"
	"github.com/postern-dev/postern/receiver/event"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/route"
)

// request reads one request from a connection, as far as it comes.
func request(conn net.Conn) {
	r, err := http.ReadRequest(bufio.NewReader(conn))
	if err == nil {
		_, _ = io.Copy(io.Discard, r.Body)
	}
}

// reply reads a request and writes raw bytes for an answer.
func reply(answer string) func(net.Conn) {
	return func(conn net.Conn) {
		request(conn)
		_, _ = io.WriteString(conn, answer)
	}
}

// forever writes a piece every now and then until the other side has enough.
func forever(head, piece string, pause time.Duration) func(net.Conn) {
	return func(conn net.Conn) {
		request(conn)
		_, err := io.WriteString(conn, head)
		for err == nil {
			<-time.After(pause)
			_, err = io.WriteString(conn, piece)
		}
	}
}

const unhelpful = "HTTP/1.1 500 Internal Server Error\r\n"

// troubles are ways in which a target can fail below the status.
var troubles = map[string]func(net.Conn){
	"resets":            func(net.Conn) {},
	"resets in between": func(conn net.Conn) { _, _ = io.ReadFull(conn, make([]byte, 10)) },
	"resets after all":  request,
	"never reads":       func(conn net.Conn) { _, _ = io.ReadFull(conn, make([]byte, 1)); <-time.After(time.Hour) },
	"half open":         func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) },
	"half an answer":    reply("HTTP/1.1 200"),
	"no HTTP":           reply("SSH-2.0-OpenSSH_9.2\r\n"),
	"TLS":               reply("\x15\x03\x01\x00\x02\x02\x46"),
	"redirects":         reply("HTTP/1.1 308 Permanent Redirect\r\nLocation: http://elsewhere.example/\r\nContent-Length: 0\r\n\r\n"),
	"slow body":         forever(unhelpful+"\r\n", "x", 100*time.Millisecond),
	"endless body":      forever(unhelpful+"\r\n", strings.Repeat("x", 32<<10), time.Microsecond),
	"endless headers":   forever(unhelpful, "X-More: "+strings.Repeat("x", 8<<10)+"\r\n", time.Microsecond),
	"slow headers":      forever(unhelpful, "X-More: x\r\n", time.Second),
	"endless interim":   forever("", "HTTP/1.1 102 Processing\r\n\r\n", 100*time.Millisecond),
}

// TestHoursOfEveryTroubleLoseNothing: real HTTP over a network in memory, so
// that hours pass in no time.
func TestHoursOfEveryTroubleLoseNothing(t *testing.T) {
	t.Parallel()
	for name, trouble := range troubles {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				network := newWire(t, func(http.ResponseWriter, *http.Request) {})
				network.set(network.talk(trouble))
				e := endpoint("ci", "a")
				w := newWorld(t, network.transport, e)
				var events []*event.Event
				for range 10 {
					ev, _ := w.admit(e)
					events = append(events, ev)
				}
				pass(3 * time.Hour)
				w.expectStatus(queue.StatusPending, events...)
				for _, report := range w.seen.all() {
					if report.Latency > 16*time.Second {
						t.Fatalf("an attempt took %v, longer than its timeout of 15s", report.Latency)
					}
				}
				for _, attempt := range w.state(events[0]).Log {
					if len(attempt.Excerpt) > 4<<10 {
						t.Errorf("an excerpt has %d bytes", len(attempt.Excerpt))
					}
				}
				if open := network.most(); open > 8 {
					t.Errorf("%d connections were open at a time, want about maxInFlight of 4 at most", open)
				}
				network.set(nil)
				pass(10 * time.Minute)
				w.expectStatus(queue.StatusDelivered, events...)
			})
		})
	}
}

// TestTroubleAfterTheStatusChangesNothing: the status says that the target has
// the event; nobody waits for what a target goes on to say, nor uses the
// connection again on which it does.
func TestTroubleAfterTheStatusChangesNothing(t *testing.T) {
	t.Parallel()
	for name, trouble := range map[string]func(net.Conn){
		"slow": forever("HTTP/1.1 200 OK\r\n\r\n", "x", time.Second),
		"huge": forever("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n", strings.Repeat("x", 32<<10), time.Microsecond),
		"cut":  reply("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				network := newWire(t, func(http.ResponseWriter, *http.Request) {})
				network.set(network.talk(trouble))
				e := endpoint("ci", "a")
				w := newWorld(t, network.transport, e)
				for n := range 10 {
					ev, _ := w.admit(e)
					pass(2500 * time.Millisecond)
					w.expectStatus(queue.StatusDelivered, ev)
					if got := network.dialled(); got != n+1 {
						t.Errorf("%d connections after %d events, want a new one each time", got, n+1)
					}
				}
			})
		})
	}
}

// TestRestartWithABacklogIsNoStampede: ten thousand events are due for a dead
// target when the process starts.
func TestRestartWithABacklogIsNoStampede(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const backlog = 10_000
		e := changed(endpoint("ci", "a"), func(e *route.Endpoint) { e.Targets[0].MaxInFlight = 32 })
		w := newWorld(t, nil, suspended(e))
		for range backlog {
			w.admitUnleased(e)
		}
		pass(time.Minute)
		w.stop()
		w.engine.Wait()
		w.targets.script(func(r *http.Request, _ string) (int, http.Header, error) {
			return 0, nil, errors.Join(hang(r, 100*time.Millisecond), errors.New("connection refused"))
		})
		w.start(func(o *deliver.Options) { o.BreakerThreshold = 5 }, e)
		pass(time.Minute)
		// At most maxInFlight go before the first failures are known, then probes.
		if got := len(w.targets.at()); got > 32+60 || got < 40 {
			t.Errorf("%d requests in the first minute, want at most 32 at first and about 40 probes", got)
		}
		w.slowly(100 * time.Millisecond)
		began := time.Now()
		for len(w.targets.at()) < backlog && time.Since(began) < time.Minute {
			pass(time.Second)
		}
		if took := time.Since(began); took > 45*time.Second {
			t.Errorf("the backlog took %v, want about the 31s that the target needs", took)
		}
		if got := w.targets.most["a.ci"]; got > 32 {
			t.Errorf("%d requests at a time, want at most maxInFlight of 32", got)
		}
	})
}

// talk makes connections whose other end does as it likes with the raw bytes.
func (w *wire) talk(other func(net.Conn)) func(context.Context) (net.Conn, error) {
	return func(context.Context) (net.Conn, error) {
		client, server := net.Pipe()
		w.talks.Go(func() {
			defer func() { _ = server.Close() }()
			other(server)
		})
		w.count(1)
		return &countedConn{Conn: client, wire: w}, nil
	}
}

// countedConn tells its wire once that it is closed.
type countedConn struct {
	net.Conn
	wire *wire
	once sync.Once
}

func (c *countedConn) Close() error {
	c.once.Do(func() { c.wire.count(-1) })
	return c.Conn.Close()
}

func (w *wire) count(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open += n
	w.mostOpen = max(w.mostOpen, w.open)
}

// most is how many connections were open at a time.
func (w *wire) most() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mostOpen
}
