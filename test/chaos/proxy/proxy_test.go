package proxy_test

import (
	"bufio"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/postern-dev/postern/test/chaos/proxy"
	"github.com/postern-dev/postern/test/wait"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo answers every line with itself, on a socket.
func echo(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "echo")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	return path
}

func listen(t *testing.T) *proxy.Proxy {
	t.Helper()
	p, err := proxy.Listen("unix", filepath.Join(t.TempDir(), "gate"), echo(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func dial(t *testing.T, p *proxy.Proxy) net.Conn {
	t.Helper()
	conn, err := net.Dial("unix", p.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(wait.Patience)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func expectEcho(t *testing.T, conn net.Conn, line string) {
	t.Helper()
	if _, err := io.WriteString(conn, line+"\n"); err != nil {
		t.Fatal(err)
	}
	got, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil || got != line+"\n" {
		t.Fatalf("got %q, %v, want %q", got, err, line)
	}
}

func TestWhatIsSentArrives(t *testing.T) {
	t.Parallel()
	conn := dial(t, listen(t))
	expectEcho(t, conn, "hello")
	expectEcho(t, conn, strings.Repeat("x", 100_000))
}

func TestACutLetsExactlySoManyBytesThrough(t *testing.T) {
	t.Parallel()
	for _, direction := range []proxy.Direction{proxy.Requests, proxy.Replies} {
		for _, after := range []int64{0, 1, 7, 9} {
			p := listen(t)
			conn := dial(t, p)
			hit := false
			done := p.Cut(direction, after, func() { hit = true })
			if _, err := io.WriteString(conn, "0123456789"); err != nil {
				t.Fatal(err)
			}
			got, _ := io.ReadAll(conn) // the end may be a reset
			<-done
			if direction == proxy.Replies && int64(len(got)) != after || !hit {
				t.Errorf("%d bytes came through, want %d; hit: %t", len(got), after, hit)
			}
			expectEcho(t, dial(t, p), "the next connection is whole")
		}
	}
}

func TestAStallKeepsEverything(t *testing.T) {
	t.Parallel()
	p := listen(t)
	conn := dial(t, p)
	expectEcho(t, conn, "before")
	p.Stall(true)
	if _, err := io.WriteString(conn, "meanwhile\n"); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Read(make([]byte, 1)); err == nil {
		t.Fatalf("%d bytes came through a stalled connection", n)
	}
	p.Stall(false)
	if err := conn.SetReadDeadline(time.Now().Add(wait.Patience)); err != nil {
		t.Fatal(err)
	}
	if got, err := bufio.NewReader(conn).ReadString('\n'); err != nil || got != "meanwhile\n" {
		t.Errorf("after the stall came %q, %v", got, err)
	}
}

func TestResetAndRefusal(t *testing.T) {
	t.Parallel()
	p := listen(t)
	conn := dial(t, p)
	expectEcho(t, conn, "before")
	if n := p.Reset(); n != 1 {
		t.Errorf("%d connections were reset, want 1", n)
	}
	if got, _ := io.ReadAll(conn); len(got) != 0 {
		t.Errorf("a connection that was reset still said %q", got)
	}
	p.Refuse(true)
	if got, _ := io.ReadAll(dial(t, p)); len(got) != 0 {
		t.Errorf("a connection that was refused said %q", got)
	}
	p.Refuse(false)
	expectEcho(t, dial(t, p), "after")
}
