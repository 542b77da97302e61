package outbound_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/postern-dev/postern/receiver/deliver/outbound"
	"github.com/postern-dev/postern/receiver/deliver/policy"
	"github.com/postern-dev/postern/receiver/event"
	"github.com/postern-dev/postern/receiver/route"
)

// line is a client and a destination that lead to a test server.
type line struct {
	client      *outbound.Client
	network     outbound.Network
	destination *outbound.Destination
	server      *httptest.Server
}

func connect(t *testing.T, handler http.HandlerFunc) *line {
	t.Helper()
	server := httptest.NewServer(handler)
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	network := outbound.Network{Forward: map[string]*url.URL{"ci/b": address}}
	client := outbound.NewClient(network)
	t.Cleanup(func() {
		client.Close()
		server.Close()
	})
	return &line{client: client, network: network, server: server, destination: destination(network, 60)}
}

func destination(network outbound.Network, timeoutSeconds int64) *outbound.Destination {
	return network.Destination(&route.Target{
		Name: "b", Namespace: "ci", Service: "b", Port: 80, Path: "/in", TimeoutSeconds: timeoutSeconds,
	})
}

func (l *line) send(ctx context.Context, ev *event.Event) (outbound.Answer, error) {
	return l.client.Send(l.destination, outbound.Build(ctx, l.destination, ev, outbound.Try{Number: 1}))
}

func (l *line) relay(ctx context.Context, ev *event.Event) (outbound.Answer, error) {
	return l.client.Relay(l.destination, outbound.Build(ctx, l.destination, ev, outbound.Try{Number: 1, Relayed: true}))
}

func TestSendIsByteExact(t *testing.T) {
	t.Parallel()
	bodies := [][]byte{
		nil, []byte("{}"), []byte("{\"a\": \"\\u00e9\"}\n"), []byte("\x00\x01\xff\xfe"), []byte("\r\n\r\nGET / HTTP/1.1\r\n"),
		bytes.Repeat([]byte("0123456789abcde\n"), 1<<16),
	}
	received := make(chan []byte, 1)
	lengths := make(chan int64, 1)
	line := connect(t, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		received <- body
		lengths <- r.ContentLength
	})
	for _, body := range bodies {
		ev := sample()
		ev.Body = body
		if _, err := line.send(t.Context(), ev); err != nil {
			t.Fatal(err)
		}
		if got := <-received; !bytes.Equal(got, body) {
			t.Errorf("target got %d bytes, want %d equal ones", len(got), len(body))
		}
		if got := <-lengths; got != int64(len(body)) {
			t.Errorf("Content-Length is %d, want %d", got, len(body))
		}
	}
}

func TestSendKeepsAnExcerptAndTheConnection(t *testing.T) {
	t.Parallel()
	for size, want := range map[int]int{0: 0, 10: 10, 4096: 4096, 4097: 4096, 60 << 10: 4096} {
		addresses := map[string]bool{}
		line := connect(t, func(w http.ResponseWriter, r *http.Request) {
			addresses[r.RemoteAddr] = true
			_, _ = w.Write(bytes.Repeat([]byte("x"), size))
		})
		for range 3 {
			answer, err := line.send(t.Context(), sample())
			if err != nil || answer.Status != 200 || len(answer.Body) != want {
				t.Fatalf("answer of %d bytes: %d, excerpt %d (%v), want %d", size, answer.Status, len(answer.Body), err, want)
			}
		}
		if len(addresses) != 1 {
			t.Errorf("answer of %d bytes: %d connections were used, want 1", size, len(addresses))
		}
	}
}

func TestSendDecidesByTheStatusOfAnEndlessAnswer(t *testing.T) {
	t.Parallel()
	line := connect(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, "begun")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	answer, err := line.send(t.Context(), sample())
	if err != nil || answer.Status != http.StatusAccepted || string(answer.Body) != "begun" {
		t.Errorf("got %d %q (%v), want 202 and what came of the body", answer.Status, answer.Body, err)
	}
}

func TestSendTimesOut(t *testing.T) {
	t.Parallel()
	line := connect(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	line.destination = destination(line.network, 1)
	if _, err := line.send(t.Context(), sample()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the target's timeout", err)
	}
}

func TestSendFollowsNoRedirect(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	line := connect(t, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	})
	answer, err := line.send(t.Context(), sample())
	if err != nil || answer.Status != http.StatusTemporaryRedirect || requests.Load() != 1 {
		t.Errorf("got %d (%v) after %d requests, want 307 after one", answer.Status, err, requests.Load())
	}
}

func TestSendSetsTheHostOfTheService(t *testing.T) {
	t.Parallel()
	hosts := make(chan string, 1)
	client := outbound.NewClientWith(roundTripper(func(r *http.Request) (*http.Response, error) {
		hosts <- r.Host
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
	}))
	to := destination(outbound.Network{}, 60)
	if _, err := client.Send(to, outbound.Build(t.Context(), to, sample(), outbound.Try{})); err != nil {
		t.Fatal(err)
	}
	if got := <-hosts; got != "b.ci.svc.cluster.local" {
		t.Errorf("Host is %s", got)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestRelayReturnsTheWholeAnswer(t *testing.T) {
	t.Parallel()
	body := strings.Repeat("y", 1<<20)
	line := connect(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Answer", "kept")
		w.Header().Set("Content-Encoding", "gzip")
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, body)
	})
	answer, err := line.relay(t.Context(), sample())
	if err != nil || answer.Status != http.StatusTeapot || string(answer.Body) != body {
		t.Fatalf("got %d with %d bytes (%v)", answer.Status, len(answer.Body), err)
	}
	if answer.Header.Get("X-Answer") != "kept" || answer.Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("headers are %v, want those of the target", answer.Header)
	}
}

func TestRelayRefusesHugeAndBrokenAnswers(t *testing.T) {
	t.Parallel()
	huge := connect(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("y", 1<<20+1))
	})
	if _, err := huge.relay(t.Context(), sample()); !errors.Is(err, outbound.ErrTooLarge) {
		t.Errorf("got %v, want ErrTooLarge", err)
	}
	broken := connect(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "short")
	})
	if _, err := broken.relay(t.Context(), sample()); err == nil {
		t.Error("an answer that was cut off was relayed")
	}
	gone := connect(t, nil)
	gone.server.Close()
	if _, err := gone.relay(t.Context(), sample()); err == nil {
		t.Error("a server that is gone answered")
	}
}

func TestConnectionsThatFailAreTold(t *testing.T) {
	t.Parallel()
	line := connect(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_ = conn.Close()
		}
	})
	if _, err := line.send(t.Context(), sample()); err == nil || errors.Is(err, policy.ErrUnreached) {
		t.Errorf("a connection that was reset gave %v, want an error other than ErrUnreached", err)
	}
	if err := line.client.Connect(t.Context(), line.destination); err != nil {
		t.Errorf("connecting to a target that listens: %v", err)
	}
	line.server.Close()
	if _, err := line.send(t.Context(), sample()); !errors.Is(err, policy.ErrUnreached) {
		t.Errorf("a refused connection gave %v, want ErrUnreached", err)
	}
	if err := line.client.Connect(t.Context(), line.destination); err == nil {
		t.Error("connected to a target that does not listen")
	}
}

func TestConnectObeysTheDenyList(t *testing.T) {
	t.Parallel()
	network := outbound.Network{ForwardAll: &url.URL{Scheme: "http", Host: "169.254.169.254"}}
	client := outbound.NewClient(network)
	defer client.Close()
	if err := client.Connect(t.Context(), destination(network, 60)); !errors.Is(err, policy.ErrForbiddenAddress) {
		t.Errorf("connecting to a metadata service gave %v, want ErrForbiddenAddress", err)
	}
}
