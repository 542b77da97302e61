package server_test

import (
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/deliver"
	"github.com/postern-dev/postern/receiver/deliver/outbound"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/route/routetest"
	"github.com/postern-dev/postern/receiver/server"
	"github.com/postern-dev/postern/receiver/traffic"
	"github.com/postern-dev/postern/test/wait"
)

// TestReplayReachesTheTarget replays a dead letter as a Secret would ask for it,
// and asks as the manager does.
func TestReplayReachesTheTarget(t *testing.T) {
	t.Parallel()
	var mended atomic.Bool
	builder := newTarget(t, func(w http.ResponseWriter, _ *http.Request) {
		if !mended.Load() {
			w.WriteHeader(http.StatusGone)
		}
	})
	w := start(t, builder.URL)
	endpoint := routetest.GitHub("hook")
	w.load(t, endpoint)
	if answer := w.push(t, "1"); answer.status != http.StatusOK {
		t.Fatalf("answer is %+v", answer)
	}
	first := builder.next(t)
	wait.Until(t, "the event is dead", func() bool {
		page, err := w.store.List(t.Context(), endpoint.UID, queue.Filter{Status: queue.StatusDead})
		return err == nil && len(page.Events) == 1
	})

	mended.Store(true)
	w.SetReplays([]*route.Replay{{SchemaVersion: 1, UID: "r", EndpointUID: endpoint.UID}})
	again := builder.next(t)
	if again.header.Get("Postern-Replay") != "true" ||
		again.header.Get("Postern-Event-Id") != first.header.Get("Postern-Event-Id") {
		t.Errorf("the replay has the headers %v", again.header)
	}
	type progress struct {
		Replays []route.ReplayProgress `json:"replays"`
	}
	var told progress
	wait.Until(t, "the end is told", func() bool {
		told = decode[progress](t, w.ask(t, http.MethodGet, "/replays", ""))
		return len(told.Replays) == 1 && !told.Replays[0].FinishedAt.IsZero()
	})
	if got := told.Replays[0]; got.UID != "r" || got.Matched != 1 || got.Replayed != 1 {
		t.Errorf("told is %+v", got)
	}
	w.SetReplays(nil)
	if told = decode[progress](t, w.ask(t, http.MethodGet, "/replays", "")); len(told.Replays) != 0 {
		t.Errorf("a replay that is no longer asked for is told: %+v", told.Replays)
	}
}

func TestTraffic(t *testing.T) {
	t.Parallel()
	up := newTarget(t, nil)
	parsed, err := url.Parse(up.URL)
	if err != nil {
		t.Fatal(err)
	}
	w := start(t, up.URL, func(options *server.Options) {
		options.Traffic = traffic.New(nil)
		options.Engine = deliver.New(deliver.Options{
			Worker: options.Store, Observer: options.Traffic, DrainStore: true,
			Network: outbound.Network{Forward: map[string]*url.URL{"ci/builder": parsed}},
		})
	})
	endpoint, idle := routetest.GitHub("hook"), routetest.GitHub("idle")
	w.load(t, endpoint, idle)
	began := time.Now()
	w.push(t, "1")
	up.next(t)
	type content struct {
		Endpoints []traffic.Endpoint `json:"endpoints"`
	}
	var told content
	find := func(uid string) *traffic.Endpoint {
		for i := range told.Endpoints {
			if told.Endpoints[i].UID == uid {
				return &told.Endpoints[i]
			}
		}
		return nil
	}
	wait.Until(t, "the delivery is told", func() bool {
		told = decode[content](t, w.ask(t, http.MethodGet, "/traffic", ""))
		got := find(endpoint.UID)
		return got != nil && got.DeliveryP99Millis != nil
	})
	if got := find(endpoint.UID); got.LastEventAt.Before(began.Add(-time.Second)) || got.Pending != 0 || got.Dead != 0 {
		t.Errorf("told is %+v", got)
	}
	if got := find(idle.UID); got == nil || *got != (traffic.Endpoint{UID: idle.UID}) {
		t.Errorf("of the idle endpoint is told %+v", got)
	}
}
