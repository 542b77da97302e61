package route_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/route"
)

func TestReplayDocument(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	asked := &route.Replay{
		SchemaVersion: route.ReplayVersion, UID: "r", EndpointUID: "e", Delivered: true,
		ReceivedAfter: noon, ReceivedBefore: noon.Add(time.Hour), EventTypes: []string{"a.*"},
		EventIDs: []string{"1"}, Targets: []string{"b"}, Limit: 3, EventsPerSecond: 4, DryRun: true,
	}
	data, err := asked.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := route.UnmarshalReplay(data); err != nil || !reflect.DeepEqual(got, asked) {
		t.Errorf("read back: %+v, %v", got, err)
	}
}

func TestReplayDocumentIsRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ document, want string }{
		"no JSON":       {"{", "decode replay"},
		"no version":    {`{"uid":"r","endpointUID":"e"}`, "schema version 0"},
		"newer":         {`{"schemaVersion":2,"uid":"r","endpointUID":"e"}`, "upgrade the receiver"},
		"unknown field": {`{"schemaVersion":1,"uid":"r","endpointUID":"e","onlyIf":"x"}`, `unknown field "onlyIf"`},
		"no uid":        {`{"schemaVersion":1,"endpointUID":"e"}`, "uid and endpointUID must be set"},
		"no endpoint":   {`{"schemaVersion":1,"uid":"r"}`, "uid and endpointUID must be set"},
		"negative rate": {`{"schemaVersion":1,"uid":"r","endpointUID":"e","eventsPerSecond":-1}`, "must not be negative"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := route.UnmarshalReplay([]byte(test.document)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want %q", err, test.want)
			}
		})
	}
}

func TestReplaySelects(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	bounded := &route.Replay{ReceivedAfter: noon, ReceivedBefore: noon.Add(time.Hour)}
	for name, test := range map[string]struct {
		asked *route.Replay
		at    time.Time
		want  bool
	}{
		"everything":      {&route.Replay{}, noon, true},
		"first moment":    {bounded, noon, true},
		"too early":       {bounded, noon.Add(-1), false},
		"last moment":     {bounded, noon.Add(time.Hour - 1), true},
		"too late":        {bounded, noon.Add(time.Hour), false},
		"named":           {&route.Replay{EventIDs: []string{"x", "1"}}, noon, true},
		"not named":       {&route.Replay{EventIDs: []string{"x"}}, noon, false},
		"of the type":     {&route.Replay{EventTypes: []string{"pull_*"}}, noon, true},
		"of another type": {&route.Replay{EventTypes: []string{"push"}}, noon, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := test.asked.Selects("1", "pull_request", test.at); got != test.want {
				t.Errorf("selects: %v, want %v", got, test.want)
			}
		})
	}
}

func FuzzUnmarshalReplay(f *testing.F) {
	f.Add([]byte(`{"schemaVersion":1,"uid":"r","endpointUID":"e","eventTypes":["*"]}`))
	f.Add([]byte(`{"schemaVersion":1,"receivedAfter":"x"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		asked, err := route.UnmarshalReplay(data)
		if err != nil {
			return
		}
		again, err := asked.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := route.UnmarshalReplay(again); err != nil {
			t.Errorf("what was read and written is not read: %v", err)
		}
	})
}

func TestMatchesEventType(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		globs []string
		text  string
		want  bool
	}{
		{nil, "anything", true},
		{[]string{"push"}, "push", true},
		{[]string{"push"}, "pushed", false},
		{[]string{"x", "pull_request.*"}, "pull_request.opened", true},
		{[]string{"*.opened"}, "pull/request.opened", true},
		{[]string{"a*b*c"}, "a1b2c", true},
		{[]string{"a*b*c"}, "abbc", true},
		{[]string{"a*bb*c"}, "abc", false},
		{[]string{"ab*ba"}, "aba", false},
		{[]string{"*"}, "", true},
	} {
		if got := route.MatchesEventType(test.globs, test.text); got != test.want {
			t.Errorf("%q matches %q: %v, want %v", test.globs, test.text, got, test.want)
		}
	}
}
