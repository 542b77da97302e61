package server_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/queue/redistest"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/route/routetest"
	"github.com/postern-dev/postern/receiver/server"
	"github.com/postern-dev/postern/test/wait"
)

func TestRequestReachesTheTarget(t *testing.T) {
	t.Parallel()
	builder := newTarget(t, nil)
	w := start(t, builder.URL)
	w.load(t, routetest.GitHub("hook"))
	got := w.push(t, "d-1")
	if got.status != 200 || !strings.Contains(got.body, `"status":"accepted"`) {
		t.Fatalf("answer %d %s", got.status, got.body)
	}
	delivered := builder.next(t)
	if !bytes.Equal(delivered.body, payload) || delivered.header.Get("Postern-Endpoint") != "ci/hook" {
		t.Errorf("the target got %q with %v", delivered.body, delivered.header)
	}
	if again := w.push(t, "d-1"); !strings.Contains(again.body, `"status":"duplicate"`) {
		t.Errorf("again: %d %s", again.status, again.body)
	}
	for _, line := range []string{
		`postern_requests_total{endpoint="hook",namespace="ci",outcome="accepted",source="github"} 1`,
		`postern_requests_total{endpoint="hook",namespace="ci",outcome="duplicate",source="github"} 1`,
		`postern_events_received_total{endpoint="hook",event_type="push",namespace="ci",source="github"} 1`,
		`postern_secret_used_total{endpoint="hook",key="current",namespace="ci",source="github"} 2`,
		`postern_deliveries_total{endpoint="hook",namespace="ci",outcome="delivered",target="builder"} 1`,
		`postern_routes_loaded 1`,
	} {
		wait.Until(t, "the metrics have "+line, func() bool {
			return strings.Contains(w.ask(t, "GET", "/metrics", "").body, line)
		})
	}
}

func TestReadiness(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	store := connect(t, redis)
	builder := newTarget(t, nil)
	w := start(t, builder.URL, func(o *server.Options) { o.Store = store })
	answer := func() (int, route.Health) {
		got := w.ask(t, "GET", "/readyz", "")
		return got.status, decode[route.Health](t, got)
	}
	ready := func() (int, []string) {
		status, health := answer()
		return status, health.Reasons
	}
	if status, reasons := ready(); status != 503 || !strings.HasPrefix(strings.Join(reasons, ""), "routes: ") {
		t.Errorf("without routes: %d %q", status, reasons)
	}
	if got := w.push(t, "early"); got.status != 503 || !strings.Contains(got.body, "not_ready") {
		t.Errorf("a request without routes: %d %s", got.status, got.body)
	}
	w.load(t)
	wait.Until(t, "an empty but complete table is enough", func() bool {
		status, _ := ready()
		return status == 200
	})
	redis.Kill(t)
	if status, reasons := ready(); status != 503 || !strings.HasPrefix(strings.Join(reasons, ""), "store: ") {
		t.Errorf("without a store: %d %q", status, reasons)
	}
	if got := w.ask(t, "GET", "/healthz", ""); got.status != 200 {
		t.Errorf("healthz without a store: %d", got.status)
	}
	redis.Restart(t, "--appendfsync", "everysec")
	wait.Until(t, "weak durability keeps it from being ready", func() bool {
		status, reasons := ready()
		return status == 503 && strings.Contains(strings.Join(reasons, ""), "appendfsync")
	})
	redis.Restart(t, "--appendfsync", "always")
	wait.Until(t, "it is ready again", func() bool {
		status, health := answer()
		return status == 200 && len(health.Causes) == 0
	})
	redis.Do(t, "CONFIG", "SET", "maxmemory", "1mb") // less than an empty one needs
	wait.Until(t, "it is ready and says that it is full", func() bool {
		status, health := answer()
		return status == 200 && slices.Equal(health.Causes, []string{route.CauseStoreFull})
	})
}

func TestRoutesTellHashesAndProblemsButNoSecrets(t *testing.T) {
	t.Parallel()
	w := start(t, "http://127.0.0.1:9")
	good := routetest.GitHub("a")
	w.load(t, good, routetest.GitHub("b"))
	broken := routetest.GitHub("b", routetest.Provider("nonesuch"))
	w.loadWith(t, map[string]error{"uid-unread": errors.New("secret x: key route.json is missing")}, good, broken)
	type loaded struct {
		Count  int
		Routes []struct {
			UID, Namespace, Name, Hash, Error string
			Generation                        int64
		}
	}
	got := w.ask(t, "GET", "/routes", "")
	all := decode[loaded](t, got)
	if all.Count != 3 || len(all.Routes) != 3 {
		t.Fatalf("routes are %s", got.body)
	}
	if r := all.Routes[0]; r.UID != "uid-unread" || r.Hash != "" || !strings.Contains(r.Error, "missing") {
		t.Errorf("route without content: %+v", r)
	}
	if r := all.Routes[1]; r.UID != "uid-a" || r.Hash != good.Hash() || r.Generation != 1 || r.Error != "" {
		t.Errorf("good route: %+v", r)
	}
	if r := all.Routes[2]; r.Hash != routetest.GitHub("b").Hash() || !strings.Contains(r.Error, "nonesuch") {
		t.Errorf("route on its last good content: %+v", r)
	}
	one := decode[loaded](t, w.ask(t, "GET", "/routes?uid=uid-a", ""))
	if one.Count != 1 || one.Routes[0].Name != "a" {
		t.Errorf("one route: %+v", one)
	}
	if none := w.ask(t, "GET", "/routes?uid=x", ""); none.body != `{"count":0,"routes":[]}`+"\n" {
		t.Errorf("no route: %s", none.body)
	}
	if strings.Contains(got.body, routetest.Key) || strings.Contains(w.log.String(), routetest.Key) {
		t.Error("a secret is told")
	}
	if n := strings.Count(w.log.String(), "Route was not loaded"); n != 2 {
		t.Errorf("%d problems logged, want two:\n%s", n, w.log)
	}
	w.loadWith(t, map[string]error{"uid-unread": errors.New("secret x: key route.json is missing")}, good, broken)
	if n := strings.Count(w.log.String(), "Route was not loaded"); n != 2 {
		t.Errorf("the same problems were logged again:\n%s", w.log)
	}
}

// TestSwapUnderLoadLosesNothing changes the table all the time while requests
// come in: none of them may fail, and what was acknowledged is delivered.
func TestSwapUnderLoadLosesNothing(t *testing.T) {
	t.Parallel()
	builder := newTarget(t, nil)
	w := start(t, builder.URL)
	w.load(t, routetest.GitHub("hook"))
	stop, stopped := make(chan struct{}), make(chan struct{})
	var tables atomic.Int64
	go func() {
		defer close(stopped)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			tables.Add(1)
			w.load(t, routetest.GitHub("hook", func(e *route.Endpoint) {
				e.Generation = int64(i)
				e.MaxBodyBytes += int64(i % 2)
			}), routetest.GitHub(fmt.Sprint("other-", i)))
		}
	}()
	var sending sync.WaitGroup
	var sent atomic.Int64
	for sender := range 8 {
		sending.Go(func() {
			for i := 0; i < 50 || tables.Load() < 10; i++ {
				sent.Add(1)
				if got := w.push(t, fmt.Sprint(sender, "-", i)); got.status != 200 {
					t.Errorf("request %d-%d: %d %s", sender, i, got.status, got.body)
				}
			}
		})
	}
	sending.Wait()
	close(stop)
	<-stopped
	seen := map[string]bool{}
	for int64(len(seen)) < sent.Load() {
		seen[builder.next(t).header.Get("X-GitHub-Delivery")] = true
	}
}

func TestSecretRotationTakesEffectWithTheNextRequest(t *testing.T) {
	t.Parallel()
	w := start(t, newTarget(t, nil).URL)
	w.load(t, routetest.GitHub("hook"))
	w.load(t, routetest.GitHub("hook", func(e *route.Endpoint) {
		e.Keys = []route.Key{{Name: "next", Value: route.SecretBytes("rotated")}}
	}))
	if got := w.push(t, "1"); got.status != 401 {
		t.Errorf("the old key: %d %s", got.status, got.body)
	}
	request := w.pushRequest(t, "1")
	routetest.SignGitHub(request.Header, "rotated", "1", "push", payload)
	if got := w.do(t, request); got.status != 200 {
		t.Errorf("the new key: %d %s", got.status, got.body)
	}
	told := decode[struct {
		Routes []struct{ KeysUsed map[string]time.Time }
	}](t, w.ask(t, "GET", "/routes?uid=uid-hook", ""))
	if len(told.Routes) != 1 || len(told.Routes[0].KeysUsed) != 1 || told.Routes[0].KeysUsed["next"].IsZero() {
		t.Errorf("keys were used %+v, want the new one with its time", told.Routes)
	}
	w.load(t)
	w.load(t, routetest.GitHub("hook", func(e *route.Endpoint) {
		e.Keys = []route.Key{{Name: "next", Value: route.SecretBytes("rotated")}}
	}))
	if got := w.ask(t, "GET", "/routes?uid=uid-hook", ""); strings.Contains(got.body, "keysUsed") {
		t.Errorf("the use of an endpoint that was gone is remembered: %s", got.body)
	}
}

func TestNewNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	store := queue.NewMemory(queue.MemoryOptions{})
	base := func(edit func(*server.Options)) server.Options {
		options := server.Options{
			Listen: "127.0.0.1:0", Internal: "127.0.0.1:0", Store: store,
			Source: func(context.Context, func(route.Set)) error { return nil },
		}
		options.Engine = newEngine(t, store, nil, "http://127.0.0.1:9")
		edit(&options)
		return options
	}
	for want, edit := range map[string]func(*server.Options){
		"public listener":      func(o *server.Options) { o.Listen = taken.Addr().String() },
		"internal listener":    func(o *server.Options) { o.Internal = taken.Addr().String() },
		"addresses must be":    func(o *server.Options) { o.Listen = "" },
		"store, engine and":    func(o *server.Options) { o.Source = nil },
		"must not be negative": func(o *server.Options) { o.ShutdownDelay = -1 },
		"certificate of the":   func(o *server.Options) { o.TLSCertDir = t.TempDir() },
	} {
		if _, err := server.New(base(edit)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want %q", err, want)
		}
	}
}

func TestRunReturnsTheErrorOfTheSource(t *testing.T) {
	t.Parallel()
	builder := newTarget(t, nil)
	broken := errors.New("no such folder")
	w := start(t, builder.URL, func(o *server.Options) {
		o.Source = func(context.Context, func(route.Set)) error { return broken }
	})
	err := wait.Next(t, "the end of Run", w.ended)
	if !errors.Is(err, broken) {
		t.Errorf("Run returned %v", err)
	}
	w.ended <- err
}

func TestHeadersAreBounded(t *testing.T) {
	t.Parallel()
	w := start(t, "http://127.0.0.1:9")
	w.load(t, routetest.GitHub("hook"))
	c := dial(t, w)
	c.write(t, "POST /ci/hook HTTP/1.1\r\nHost: a\r\nX-Big: "+strings.Repeat("x", 32<<10))
	c.expect(t, http.StatusRequestHeaderFieldsTooLarge)
}

func TestConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	w := start(t, newTarget(t, nil).URL, func(o *server.Options) { o.MaxConnections = 1 })
	w.load(t, routetest.GitHub("hook"))
	first, err := net.Dial("tcp", w.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan reply, 1)
	go func() { answered <- w.push(t, "1") }()
	select {
	case got := <-answered:
		// The waiting connection may have been the first to be accepted.
		t.Logf("served at once: %d", got.status)
	case <-time.After(100 * time.Millisecond):
		_ = first.Close()
		if got := <-answered; got.status != 200 {
			t.Errorf("after its turn came: %d %s", got.status, got.body)
		}
	}
	_ = first.Close()
}
