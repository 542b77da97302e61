package server_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/route/routetest"
	"github.com/postern-dev/postern/test/wait"
)

// TestSlowClientsHarmNobody holds many connections that never finish their
// head, and as many that never finish their body. Meanwhile everybody else is
// served, and in the end the slow ones are cut off.
func TestSlowClientsHarmNobody(t *testing.T) {
	t.Parallel()
	const slow = 200
	w := start(t, newTarget(t, nil).URL)
	w.load(t, routetest.GitHub("hook"))
	held := make([]net.Conn, slow)
	for i := range held {
		conn, err := net.Dial("tcp", w.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		held[i] = conn
		text := "POST /ci/hook HTTP/1.1\r\nHost: a\r\n"
		if i%2 == 0 {
			text += "Content-Length: 100000\r\n\r\n{"
		}
		if _, err := io.WriteString(conn, text); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 100 {
		if got := w.push(t, fmt.Sprint(i)); got.status != http.StatusOK {
			t.Fatalf("request %d beside slow ones was answered %d %s", i, got.status, got.body)
		}
	}
	var group sync.WaitGroup
	for i, conn := range held {
		group.Go(func() {
			if err := conn.SetReadDeadline(time.Now().Add(wait.Patience)); err != nil {
				t.Error(err)
			}
			answer, err := io.ReadAll(bufio.NewReader(conn))
			if err != nil {
				t.Errorf("slow client %d was not cut off: %v", i, err)
			}
			if i%2 == 0 && !bytes.Contains(answer, []byte("body_timeout")) {
				t.Errorf("slow body %d was answered %q", i, answer)
			}
		})
	}
	group.Wait()
}

// TestCompressedBodiesStayAsTheyAre: what would be ten megabytes is verified,
// stored and delivered as the few kilobytes that were signed.
func TestCompressedBodiesStayAsTheyAre(t *testing.T) {
	t.Parallel()
	var bomb bytes.Buffer
	compress := gzip.NewWriter(&bomb)
	if _, err := compress.Write(make([]byte, 10<<20)); err != nil {
		t.Fatal(err)
	}
	if err := compress.Close(); err != nil {
		t.Fatal(err)
	}
	builder := newTarget(t, nil)
	w := start(t, builder.URL)
	w.load(t, routetest.GitHub("hook"))
	request := w.pushRequest(t, "bomb")
	request.Body, request.ContentLength = io.NopCloser(bytes.NewReader(bomb.Bytes())), int64(bomb.Len())
	routetest.SignGitHub(request.Header, routetest.Key, "bomb", "push", bomb.Bytes())
	request.Header.Set("Content-Encoding", "gzip")
	if got := w.do(t, request); got.status != http.StatusOK {
		t.Fatalf("answer %d %s", got.status, got.body)
	}
	got := builder.next(t)
	if !bytes.Equal(got.body, bomb.Bytes()) || got.header.Get("Content-Encoding") != "gzip" {
		t.Errorf("the target got %d bytes, Content-Encoding %q; %d bytes were sent",
			len(got.body), got.header.Get("Content-Encoding"), bomb.Len())
	}
}
