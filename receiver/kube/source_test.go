package kube_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postern-dev/postern/receiver/kube"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/route/routetest"
	"github.com/postern-dev/postern/test/wait"
)

func TestFirstSetIsComplete(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	a, b := routetest.GitHub("a"), routetest.GitHub("b")
	putRoute(t, ns, a)
	f := follow(t, kube.Options{Namespace: ns})
	f.silent(t, 300*time.Millisecond) // no index yet
	putIndex(t, ns, a, b)
	f.silent(t, 300*time.Millisecond) // one of two
	putRoute(t, ns, b)
	first := f.await(t, "both routes", func(set) bool { return true })
	if first.names() != "a b" || len(first.problems) != 0 {
		t.Errorf("first set is %q, %v", first.names(), first.problems)
	}
	if string(first.routes[0].Keys[0].Value) != routetest.Key || first.routes[0].Hash() != a.Hash() {
		t.Error("the route lost its key or changed its hash")
	}
}

func TestEmptyNamespaceIsACompleteSet(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	putIndex(t, ns)
	first := follow(t, kube.Options{Namespace: ns}).await(t, "nothing", func(set) bool { return true })
	if len(first.routes) != 0 {
		t.Errorf("first set is %q", first.names())
	}
}

func TestChangesAreHandedOn(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	a, b := routetest.GitHub("a"), routetest.GitHub("b")
	putRoute(t, ns, a)
	putIndex(t, ns, a)
	f := follow(t, kube.Options{Namespace: ns})
	first := f.await(t, "the first route", named("a"))
	began := time.Now()
	putRoute(t, ns, b)
	second := f.await(t, "the second route", named("a b"))
	t.Logf("handed on after %s", time.Since(began))
	if second.routes[0] != first.routes[0] {
		t.Error("an unchanged route was decoded again")
	}
	putRoute(t, ns, routetest.GitHub("b", func(e *route.Endpoint) { e.Generation = 2 }))
	f.await(t, "the second generation", func(s set) bool { return s.names() == "a b" && s.routes[1].Generation == 2 })
	remove(t, ns, "uid-a")
	f.await(t, "the second route alone", named("b"))
}

func TestOtherSecretsAreNotRead(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	document, err := routetest.GitHub("foreign").Marshal()
	if err != nil {
		t.Fatal(err)
	}
	put(t, secret(ns, "route-uid-foreign", "example.com/other", kube.RouteKey, document))
	a := routetest.GitHub("a")
	putRoute(t, ns, a)
	putIndex(t, ns, a)
	f := follow(t, kube.Options{Namespace: ns})
	f.await(t, "only what is labelled", named("a"))
}

func TestUnreadableSecretKeepsTheLastGoodRoute(t *testing.T) {
	t.Parallel()
	other, err := routetest.GitHub("other").Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		document []byte
		says     string
	}{
		"not JSON":        {[]byte("{"), "decode route"},
		"empty":           {nil, "decode route"},
		"another version": {[]byte(`{"schemaVersion":99}`), "schema version 99"},
		"unknown field":   {[]byte(`{"schemaVersion":1,"uid":"uid-a","rule":"deny"}`), "rule"},
		"another's route": {other, `uid "uid-other"`},
		"too large":       {[]byte(strings.Repeat(" ", 600<<10)), "at most"},
		"invalid": {
			[]byte(`{"schemaVersion":1,"uid":"uid-a","namespace":"ci","name":"a","path":"/other/a"}`), "/ci/",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ns := namespace(t)
			a, b := routetest.GitHub("a"), routetest.GitHub("b")
			putRoute(t, ns, a)
			putRoute(t, ns, b)
			putIndex(t, ns, a, b)
			f := follow(t, kube.Options{Namespace: ns})
			f.await(t, "both routes", named("a b"))
			putDocument(t, ns, "uid-a", test.document)
			broken := f.await(t, "a problem", func(s set) bool { return len(s.problems) > 0 })
			if broken.names() != "a b" || broken.routes[0].Hash() != a.Hash() {
				t.Errorf("routes are %q", broken.names())
			}
			problem := broken.problems["uid-a"]
			if problem == nil || !strings.Contains(problem.Error(), test.says) ||
				!strings.Contains(problem.Error(), ns+"/route-uid-a") {
				t.Errorf("problem is %v, want %q", problem, test.says)
			}
			putRoute(t, ns, routetest.GitHub("a", func(e *route.Endpoint) { e.Generation = 3 }))
			f.await(t, "the mended route", func(s set) bool {
				return len(s.problems) == 0 && s.routes[0].Generation == 3
			})
		})
	}
}

func TestUnreadableSecretDoesNotKeepTheOthersFromBeingServed(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	a, b := routetest.GitHub("a"), routetest.GitHub("b")
	putDocument(t, ns, "uid-a", []byte("edited by hand"))
	putRoute(t, ns, b)
	putIndex(t, ns, a, b)
	first := follow(t, kube.Options{Namespace: ns}).await(t, "the other route", named("b"))
	if first.problems["uid-a"] == nil {
		t.Error("nothing says what is wrong")
	}
}

func TestSnapshotServesWhileTheAPIServerIsAway(t *testing.T) {
	t.Parallel()
	ns, dir := namespace(t), filepath.Join(t.TempDir(), "routes")
	a, b := routetest.GitHub("a"), routetest.GitHub("b")
	putRoute(t, ns, a)
	putIndex(t, ns, a)
	gate, config := newGate(t)
	options := kube.Options{Config: config, Namespace: ns, SnapshotDir: dir, SnapshotAfter: 50 * time.Millisecond}
	before := follow(t, options)
	before.await(t, "the route", named("a"))
	before.stop()

	file := filepath.Join(dir, "routes.json")
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the snapshot has mode %v", info.Mode())
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("the directory has %v, %v", entries, err)
	}

	gate.shut()
	after := follow(t, options)
	restored := after.await(t, "the snapshot", named("a"))
	if string(restored.routes[0].Keys[0].Value) != routetest.Key || restored.routes[0].Hash() != a.Hash() {
		t.Error("the snapshot's route is another")
	}
	if !restored.provisional {
		t.Error("the snapshot is handed on as if it were current")
	}
	putRoute(t, ns, b)
	gate.open()
	if current := after.await(t, "the routes of the API server", named("a b")); current.provisional {
		t.Error("the routes of the API server are handed on as if they were old")
	}
}

func TestNoSnapshotAndNoAPIServerIsNoSet(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	gate, config := newGate(t)
	gate.shut()
	f := follow(t, kube.Options{
		Config: config, Namespace: ns, SnapshotDir: t.TempDir(), SnapshotAfter: 10 * time.Millisecond,
	})
	f.silent(t, 300*time.Millisecond)
	a := routetest.GitHub("a")
	putRoute(t, ns, a)
	putIndex(t, ns, a)
	gate.open()
	f.await(t, "the routes", named("a"))
}

func TestBrokenSnapshotIsNoSet(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "routes.json"), []byte(`{"routes":[{}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	gate, config := newGate(t)
	gate.shut()
	f := follow(t, kube.Options{
		Config: config, Namespace: namespace(t), SnapshotDir: dir, SnapshotAfter: 10 * time.Millisecond,
	})
	f.silent(t, 300*time.Millisecond)
}

func TestWatchIsTakenUpAgain(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	a, b := routetest.GitHub("a"), routetest.GitHub("b")
	putRoute(t, ns, a)
	putIndex(t, ns, a)
	gate, config := newGate(t)
	f := follow(t, kube.Options{Config: config, Namespace: ns})
	f.await(t, "the route", named("a"))
	gate.shut()
	putRoute(t, ns, b)
	remove(t, ns, "uid-a")
	f.silent(t, 300*time.Millisecond)
	gate.open()
	f.await(t, "what changed meanwhile", named("b"))
}

func TestNewChecksItsOptions(t *testing.T) {
	t.Parallel()
	for _, options := range []kube.Options{{Namespace: "x"}, {Config: apiConfig}} {
		if _, err := kube.New(options); err == nil {
			t.Errorf("%+v is accepted", options)
		}
	}
}

func TestReplaysAreHandedOn(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	putIndex(t, ns)
	sets := make(chan string, 1024)
	follow(t, kube.Options{Namespace: ns, Replays: func(replays []*route.Replay) {
		var uids []string
		for _, replay := range replays {
			uids = append(uids, replay.UID)
		}
		sets <- strings.Join(uids, " ")
	}})
	await := func(want string) {
		t.Helper()
		for wait.Next(t, "a set of replays", sets) != want {
			continue
		}
	}
	document := func(uid string) []byte {
		data, err := (&route.Replay{SchemaVersion: route.ReplayVersion, UID: uid, EndpointUID: "e"}).Marshal()
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	ask := func(name string, data []byte) {
		t.Helper()
		put(t, secret(ns, name, kube.ReplayLabel, kube.ReplayKey, data))
	}
	await("")
	ask("replay-a", document("a"))
	await("a")
	ask("replay-broken", []byte("{"))
	ask("replay-newer", []byte(`{"schemaVersion":99,"uid":"newer","endpointUID":"e"}`))
	ask("replay-other", document("a")) // somebody else's
	ask("replay-b", document("b"))
	await("a b")
	if err := api.CoreV1().Secrets(ns).Delete(t.Context(), "replay-a", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	await("b")
}
