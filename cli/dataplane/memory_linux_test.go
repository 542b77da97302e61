package dataplane_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/postern-dev/postern/cli/dataplane"
	"github.com/postern-dev/postern/cli/memory"
	"github.com/postern-dev/postern/receiver/deliver/outbound"
	"github.com/postern-dev/postern/receiver/queue/redistest"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/route/routetest"
	"github.com/postern-dev/postern/receiver/server"
	"github.com/postern-dev/postern/test/wait"
)

const (
	// containerLimit is the default limit of the receiver's container.
	containerLimit = 512 << 20
	// largeBody is the size of the bodies in these tests.
	largeBody = 1 << 20
	// asReceiver is the environment variable that makes this program a receiver.
	asReceiver = "POSTERN_TEST_RECEIVER"
)

// A process of its own is measured: this program, started once more.
func TestMain(m *testing.M) {
	if config := os.Getenv(asReceiver); config != "" {
		if err := receive(config); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// config is what the receiver is told.
type config struct {
	Store, Target string
	Endpoints     int
	Limit         uint64
}

// endpoint is one of several tenants'.
func endpoint(i int) *route.Endpoint {
	return routetest.GitHub(fmt.Sprint("hook-", i), func(e *route.Endpoint) {
		e.Namespace = fmt.Sprint("team-", i)
		e.Path = "/" + e.Namespace + "/" + e.Name
		e.MaxBodyBytes, e.HistoryLimit = 4<<20, 0
		e.Targets[0].TimeoutSeconds = 60
	})
}

// receive serves until it is ended, and prints where.
func receive(text string) error {
	var c config
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return err
	}
	target, err := url.Parse(c.Target)
	if err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	set := route.Set{Installation: "test"}
	for i := range c.Endpoints {
		set.Routes = append(set.Routes, endpoint(i))
	}
	limit := memory.Options{LimitBytes: c.Limit}
	return dataplane.Run(ctx, dataplane.Options{
		Listen: "127.0.0.1:0", Internal: "127.0.0.1:0",
		Store:   dataplane.StoreOptions{URL: c.Store, Exclusive: true},
		Network: outbound.Network{Forward: map[string]*url.URL{"ci/builder": target}},
		Source: func(ctx context.Context, emit func(route.Set)) error {
			emit(set)
			<-ctx.Done()
			return nil
		},
		MemoryLimitBytes: limit.Apply(logger),
		GracePeriod:      10 * time.Second,
		Logger:           logger,
	}, func(s *server.Server) { fmt.Printf("http://%s http://%s\n", s.Addr(), s.InternalAddr()) })
}

// receiver is a receiver in a process of its own.
type receiver struct {
	command *exec.Cmd
	url     string
	client  *http.Client
}

func startReceiver(t *testing.T, c config) *receiver {
	t.Helper()
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{command: exec.Command(os.Args[0])}
	r.command.Env = append(os.Environ(), asReceiver+"="+string(text))
	r.command.Stderr = t.Output()
	out, err := r.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = r.command.Process.Kill()
		_ = r.command.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var internal string
	if _, err := fmt.Sscan(line, &r.url, &internal); err != nil {
		t.Fatal(err)
	}
	r.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1024}}
	t.Cleanup(r.client.CloseIdleConnections)
	wait.Until(t, "the receiver is ready", func() bool {
		response, err := r.client.Get(internal + "/readyz")
		if err != nil {
			return false
		}
		defer response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	return r
}

// peak is the most memory that the process has had.
func (r *receiver) peak(t *testing.T) int64 {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.command.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "VmHWM:" {
			kib, err := strconv.ParseInt(fields[1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
	}
	t.Fatal("the status of the process has no VmHWM")
	return 0
}

// send posts a signed event and returns the answer.
func (r *receiver) send(i int, id string, body []byte) (status int, answer map[string]string, err error) {
	request, err := http.NewRequest(http.MethodPost, r.url+endpoint(i).Path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	routetest.SignGitHub(request.Header, routetest.Key, id, "push", body)
	response, err := r.client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	err = json.NewDecoder(response.Body).Decode(&answer)
	return response.StatusCode, answer, err
}

// tally is what senders were told, and what the target has got.
type tally struct {
	mu       sync.Mutex
	accepted map[string]bool
	refused  map[string]int
	got      map[string]bool
}

// deliver sends until the event is accepted, as a provider that tries again does.
func (c *tally) deliver(t *testing.T, r *receiver, i int, id string, body []byte) {
	deadline := time.After(wait.Patience)
	for !c.sent(t, r, i, id, body) {
		select {
		case <-time.After(100 * time.Millisecond):
		case <-deadline:
			t.Errorf("event %s was not accepted within %v", id, wait.Patience)
			return
		}
	}
}

// sent sends once, and is true unless a sender would try again.
func (c *tally) sent(t *testing.T, r *receiver, i int, id string, body []byte) bool {
	status, answer, err := r.send(i, id, body)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err != nil:
		c.refused["connection"]++ // cut off while the body was on its way
		return false
	case status == http.StatusOK:
		c.accepted[answer["id"]] = true
	case status == http.StatusServiceUnavailable:
		c.refused[answer["error"]]++
		return false
	default:
		t.Errorf("event %s was answered %d %v, which no sender tries again", id, status, answer)
	}
	return true
}

// target answers each request after some time, and notes what it got.
func (c *tally) target(t *testing.T, wait time.Duration) string {
	t.Helper()
	target := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if n, err := io.Copy(io.Discard, r.Body); err != nil || n != largeBody {
			return
		}
		<-time.After(wait)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.got[r.Header.Get("Postern-Event-Id")] = true
	}))
	t.Cleanup(target.Close)
	return target.URL
}

func (c *tally) missing() (count int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id := range c.accepted {
		if !c.got[id] {
			count++
		}
	}
	return count
}

// TestMemoryStaysBelowTheContainersLimit sends bodies of 1 MiB to a receiver with
// the default limit. What it takes at most is what the kernel counts. Every event
// is accepted, at once or when it is sent again, and reaches its target.
func TestMemoryStaysBelowTheContainersLimit(t *testing.T) { //nolint:paralleltest // it wants the processors
	for name, test := range map[string]struct {
		endpoints, concurrent, rounds int
		wait                          time.Duration
	}{
		"a burst for one endpoint":   {endpoints: 1, concurrent: 200, rounds: 3},
		"a burst for many":           {endpoints: 20, concurrent: 200, rounds: 2},
		"deliveries to slow targets": {endpoints: 10, concurrent: 100, rounds: 3, wait: 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) { //nolint:paralleltest // likewise
			c := &tally{accepted: map[string]bool{}, refused: map[string]int{}, got: map[string]bool{}}
			r := startReceiver(t, config{
				Store: redistest.Start(t).URL(), Target: c.target(t, test.wait),
				Endpoints: test.endpoints, Limit: containerLimit,
			})
			body := bytes.Repeat([]byte("x"), largeBody)
			for round := range test.rounds {
				var group sync.WaitGroup
				for i := range test.concurrent {
					group.Go(func() { c.deliver(t, r, i%test.endpoints, fmt.Sprint(round, "-", i), body) })
				}
				group.Wait()
			}
			wait.Until(t, "every accepted event is delivered", func() bool { return c.missing() == 0 })
			if want := test.concurrent * test.rounds; len(c.accepted) != want {
				t.Errorf("%d events were accepted, want %d", len(c.accepted), want)
			}
			peak := r.peak(t)
			t.Logf("the receiver takes %d MiB at most; refused before they were accepted: %v", peak>>20, c.refused)
			if peak > containerLimit {
				t.Errorf("the receiver takes %d MiB, its container has %d MiB", peak>>20, containerLimit>>20)
			}
		})
	}
}
