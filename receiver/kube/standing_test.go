package kube_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/kube"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/route/routetest"
	"github.com/postern-dev/postern/test/wait"
)

func putTombstone(t *testing.T, namespace, name, document string) {
	t.Helper()
	put(t, secret(namespace, name, kube.TombstoneLabel, kube.TombstoneKey, []byte(document)))
}

const buried = `{"schemaVersion":1,"uid":"uid-b","deletedAt":"2026-01-02T03:04:05Z","later":true}`

func TestTombstonesAreHandedOn(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	putRoute(t, ns, routetest.GitHub("a"))
	putIndex(t, ns, routetest.GitHub("a"))
	putTombstone(t, ns, "tombstone-uid-wrong", buried)
	putTombstone(t, ns, "tombstone-uid-c", `{"schemaVersion":99,"uid":"uid-c","deletedAt":"2026-01-02T03:04:05Z"}`)
	putTombstone(t, ns, "tombstone-uid-d", `{"schemaVersion":1,"uid":"uid-d"}`)
	f := follow(t, kube.Options{Namespace: ns})
	if first := f.await(t, "a route", named("a")); len(first.tombstones) != 0 {
		t.Errorf("tombstones that are not valid were handed on: %v", first.tombstones)
	}
	putTombstone(t, ns, "tombstone-uid-b", buried)
	f.await(t, "a tombstone", func(s set) bool { return strings.Join(s.tombstones, " ") == "uid-b" })
}

// TestCurrentIsWhatTheAPIServerSays: a receiver that is not in touch with the
// API server does not know how an endpoint stands, whatever it has in memory.
func TestCurrentIsWhatTheAPIServerSays(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	putRoute(t, ns, routetest.GitHub("a"))
	putIndex(t, ns, routetest.GitHub("a"))
	putTombstone(t, ns, "tombstone-uid-b", buried)
	gate, config := newGate(t)
	source, err := kube.New(kube.Options{
		Config: config, Namespace: ns, TouchFor: 3 * time.Second, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = source.Run(ctx, func(route.Set) {})
	}()
	t.Cleanup(func() { cancel(); <-ended })
	if _, err := source.Current(t.Context(), "uid-a"); err == nil {
		t.Error("a receiver that has just begun knows how an endpoint stands")
	}
	inTouch := func(wanted bool) {
		t.Helper()
		wait.Until(t, fmt.Sprintf("in touch with the API server: %t", wanted), func() bool {
			_, err := source.Current(t.Context(), "uid-a")
			return (err == nil) == wanted
		})
	}
	inTouch(true)
	for uid, want := range map[string]struct{ routed, deleted bool }{
		"uid-a": {true, false}, "uid-b": {false, true}, "uid-never": {false, false},
	} {
		wait.For(t, "how "+uid+" stands", func() error {
			got, err := source.Current(t.Context(), uid) // it may be out of touch for a moment
			if err == nil && ((got.Route != nil) != want.routed || got.Deleted != want.deleted) {
				t.Fatalf("%s stands as %+v, want %+v", uid, got, want)
			}
			return err
		})
	}
	gate.shut()
	inTouch(false)
	gate.open()
	inTouch(true)
}
