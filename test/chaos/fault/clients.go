package fault

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/postern-dev/postern/test/chaos/history"
)

// F17: clients that mean ill, while the good ones go on.
var (
	Slowloris   = hostile("F17 clients that never finish", 300, slowly)
	HugeHeaders = hostile("F17 huge headers", 50, hugeHeaders)
	HugeBodies  = hostile("F17 huge bodies", 50, hugeBodies)
	Bombs       = hostile("F17 gzip bombs", 50, bombs)
	Smugglers   = hostile("F17 smuggled requests", 50, smuggle)
)

// Storm is F18: a thousand copies of one event at the same moment.
var Storm = &Kind{Name: "F18 a thousand copies", Lane: Others, Inject: storm}

const (
	copies = 1000
	// hostility is how long ill clients go on.
	hostility = 3 * time.Second
)

func storm(ctx context.Context, i *Injection) error {
	e := i.endpoint()
	i.Begin(e.Name, "of one event")
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return i.Senders.Storm(ctx, 1<<40+uint64(i.n), e.Name, copies)
}

// client does one bad thing on a connection, until the time is over or the
// server has had enough.
type client func(ctx context.Context, conn net.Conn, host, path string) error

// hostile is a number of clients that all do the same, again and again.
func hostile(name string, clients int, what client) *Kind {
	kind := &Kind{Name: name, Lane: Others, Excuses: []history.Excuse{history.ExcuseRequests}}
	kind.Inject = func(ctx context.Context, i *Injection) error {
		public, err := url.Parse(i.receiver().Public)
		if err != nil {
			return err
		}
		path := "/" + i.endpoint().Name
		i.Begin(public.Host, "%d of them for %s", clients, hostility)
		before := i.Senders.Totals().Acked
		ill, cancel := context.WithTimeout(ctx, hostility)
		defer cancel()
		var all sync.WaitGroup
		for range clients {
			all.Go(func() { attack(ill, public.Host, path, what) })
		}
		all.Wait()
		if got := i.Senders.Totals().Acked - before; got == 0 && ctx.Err() == nil {
			return fmt.Errorf("no event of the good clients was acknowledged in %s", hostility)
		}
		return nil
	}
	return kind
}

func attack(ctx context.Context, host, path string, what client) {
	for ctx.Err() == nil {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", host)
		if err != nil {
			rest(ctx, 50*time.Millisecond) // the server may be starting
			continue
		}
		stop := context.AfterFunc(ctx, func() { conn.Close() })
		if what(ctx, conn, host, path) == nil {
			_, _ = io.Copy(io.Discard, io.LimitReader(conn, 64<<10)) // whatever it says
		}
		stop()
		conn.Close()
		rest(ctx, 10*time.Millisecond)
	}
}

// slowly sends a header a byte at a time.
func slowly(ctx context.Context, conn net.Conn, host, path string) error {
	for _, b := range []byte("POST " + path + " HTTP/1.1\r\nHost: " + host + "\r\nX-Slow: " + strings.Repeat("y", 1000)) {
		if _, err := conn.Write([]byte{b}); err != nil {
			return err
		}
		if !rest(ctx, 100*time.Millisecond) {
			return ctx.Err()
		}
	}
	return nil
}

func hugeHeaders(_ context.Context, conn net.Conn, host, path string) error {
	_, err := io.WriteString(conn, "POST "+path+" HTTP/1.1\r\nHost: "+host+"\r\n")
	for n := 0; err == nil && n < 1000; n++ {
		_, err = fmt.Fprintf(conn, "X-Huge-%d: %s\r\n", n, strings.Repeat("z", 1000))
	}
	return err
}

func hugeBodies(_ context.Context, conn net.Conn, host, path string) error {
	_, err := io.WriteString(conn, "POST "+path+" HTTP/1.1\r\nHost: "+host+"\r\nContent-Length: 100000000\r\n\r\n")
	block := make([]byte, 64<<10)
	for n := 0; err == nil && n < 1600; n++ {
		_, err = conn.Write(block)
	}
	return err
}

// bomb is what is a thousand times larger than it looks.
var bomb = sync.OnceValue(func() []byte {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write(make([]byte, 64<<20)) // to memory
	_ = w.Close()
	return packed.Bytes()
})

func bombs(_ context.Context, conn net.Conn, host, path string) error {
	_, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n"+
		"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s",
		path, host, len(bomb()), bomb())
	return err
}

// smuggled are requests whose end two servers would see at different places.
var smuggled = []string{
	"POST %[1]s HTTP/1.1\r\nHost: %[2]s\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
	"POST %[1]s HTTP/1.1\r\nHost: %[2]s\r\nContent-Length: 4\r\nContent-Length: 30\r\n\r\nabcdPOST %[1]s HTTP/1.1\r\n\r\n",
	"POST %[1]s HTTP/1.1\r\nHost: %[2]s\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
	"POST %[1]s HTTP/1.1\r\nHost: %[2]s\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
	"POST %[1]s HTTP/1.1\r\nHost: %[2]s\r\nTransfer-Encoding: chunked\r\n\r\n1;ext=\"\n\"\r\nx\r\n0\r\n\r\n",
	"POST %[1]s HTTP/1.1\r\nHost: %[2]s\r\nHost: elsewhere\r\nContent-Length: 0\r\n\r\n",
}

func smuggle(_ context.Context, conn net.Conn, host, path string) error {
	// One after the other on connections of their own: which one is told by the port.
	port := conn.LocalAddr().(*net.TCPAddr).Port
	_, err := fmt.Fprintf(conn, smuggled[port%len(smuggled)], path, host)
	if err == nil {
		err = conn.SetReadDeadline(time.Now().Add(time.Second))
	}
	return err
}
