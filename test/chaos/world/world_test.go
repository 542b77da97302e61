package world_test

import (
	"strings"
	"testing"

	"github.com/postern-dev/postern/test/chaos/history"
	"github.com/postern-dev/postern/test/chaos/traffic"
	"github.com/postern-dev/postern/test/chaos/world"
	"github.com/postern-dev/postern/test/kube"
)

func TestAnEndpointIsWhatTheHistorySays(t *testing.T) {
	t.Parallel()
	e := &world.Endpoint{
		Endpoint: history.Endpoint{
			Name: "team/github", Provider: traffic.GitHub, DedupSeconds: 60,
			Retry:   history.Retry{InitialBackoffSeconds: 1, MaxBackoffSeconds: 2, MaxAgeSeconds: 3, MaxAttempts: 4},
			Targets: []history.Target{{Name: "all", TimeoutSeconds: 5}, {Name: "some", Types: []string{"push"}, TimeoutSeconds: 5}},
		},
		Keys: [][]byte{[]byte("key")}, Absent: []string{"some"}, Path: "/team/other", History: 7,
	}
	version := e.Version(2)
	if version.Version != 2 || len(version.Targets) != 1 || version.Targets[0].Name != "all" {
		t.Errorf("the history says %+v, but the object has no target some", version)
	}
	for _, manifest := range []string{e.Manifest(), e.Surroundings(), e.Secret()} {
		objects, err := kube.Decode([]byte(manifest))
		if err != nil || len(objects) == 0 {
			t.Errorf("%v in\n%s", err, manifest)
		}
	}
	if strings.Contains(e.Manifest(), "github-some") {
		t.Errorf("the absent target is in\n%s", e.Manifest())
	}
	e.Absent = nil
	for _, want := range []string{
		"github-some", `path: "/team/other"`, "history: {limit: 7}", "eventTypes: [push]", "maxAttempts: 4", "windowSeconds: 60",
	} {
		if !strings.Contains(e.Manifest(), want) {
			t.Errorf("%q is not in\n%s", want, e.Manifest())
		}
	}
}
