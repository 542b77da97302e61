package route_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/postern-dev/postern/receiver/route"
)

func marshal(t *testing.T, e *route.Endpoint) []byte {
	t.Helper()
	data, err := e.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestDocumentRoundTrip(t *testing.T) {
	t.Parallel()
	want := full()
	data := marshal(t, want)
	got, err := route.Unmarshal(data)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if string(got.Keys[1].Value) != previousKey || string(got.Targets[0].SigningKey) != signingKey {
		t.Error("key material did not come back")
	}
	if got.Targets[1].SigningKey != nil {
		t.Error("a target without signing key got one")
	}
	if again := marshal(t, got); !bytes.Equal(data, again) {
		t.Errorf("a second marshal differs:\n%s\n%s", data, again)
	}
}

// A field that full leaves out would escape the round trip and the hash.
func TestFullSetsEveryField(t *testing.T) {
	t.Parallel()
	e := full()
	for _, value := range []any{
		*e, e.Source, *e.Source.Scheme, e.Source.Scheme.Signature, *e.Source.Scheme.Signature.List,
		e.Keys[0], e.Deduplication, e.Retry, *e.RateLimit, *e.Unavailable,
	} {
		v := reflect.ValueOf(value)
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; v.Field(i).IsZero() && name != "Provider" {
				t.Errorf("%s.%s is not set", v.Type(), name)
			}
		}
	}
}

func TestUnmarshalRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		edit func(map[string]any)
		want string
	}{
		"unknown field":       {func(d map[string]any) { d["mirror"] = true }, `unknown field "mirror"`},
		"later version":       {func(d map[string]any) { d["schemaVersion"] = 2 }, "route has schema version 2"},
		"no version":          {func(d map[string]any) { delete(d, "schemaVersion") }, "route has schema version 0"},
		"negative version":    {func(d map[string]any) { d["schemaVersion"] = -1 }, "route has schema version -1"},
		"fewer values":        {func(d map[string]any) { d["keyValues"] = []string{"eA=="} }, "1 key values for 2 keys"},
		"values without keys": {func(d map[string]any) { delete(d, "keys") }, "2 key values for 0 keys"},
		"wrong type":          {func(d map[string]any) { d["path"] = 1 }, "decode route"},
		"unsafe path":         {func(d map[string]any) { d["path"] = "/prod/x" }, "must start with /ci/"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var document map[string]any
			if err := json.Unmarshal(marshal(t, full()), &document); err != nil {
				t.Fatal(err)
			}
			test.edit(document)
			data, err := json.Marshal(document)
			if err != nil {
				t.Fatal(err)
			}
			got, err := route.Unmarshal(data)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, %v; want an error with %q", got, err, test.want)
			}
		})
	}
}

func TestUnmarshalRefusesOtherText(t *testing.T) {
	t.Parallel()
	whole := string(marshal(t, full()))
	for name, text := range map[string]string{
		"empty": "", "null": "null", "array": "[]", "truncated": whole[:len(whole)-1], "two": whole + whole,
	} {
		if got, err := route.Unmarshal([]byte(text)); err == nil {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestHash(t *testing.T) {
	t.Parallel()
	base := full().Hash()
	for name, test := range map[string]struct {
		edit    func(*route.Endpoint)
		changes bool
	}{
		"nothing":            {func(*route.Endpoint) {}, false},
		"key material":       {func(e *route.Endpoint) { e.Keys[0].Value = route.SecretBytes("guess") }, false},
		"signing material":   {func(e *route.Endpoint) { e.Targets[0].SigningKey = route.SecretBytes("guess") }, false},
		"rotated secret":     {func(e *route.Endpoint) { e.SecretVersion = "13" }, true},
		"rotated signing":    {func(e *route.Endpoint) { e.Targets[0].SigningKeyVersion = "8" }, true},
		"key name":           {func(e *route.Endpoint) { e.Keys[0].Name = "other" }, true},
		"generation":         {func(e *route.Endpoint) { e.Generation++ }, true},
		"scheme":             {func(e *route.Endpoint) { e.Source.Scheme.Content = "{body}" }, true},
		"target":             {func(e *route.Endpoint) { e.Targets[0].Port = 81 }, true},
		"service that is in": {func(e *route.Endpoint) { e.Targets[1].Unavailable = nil }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := full()
			test.edit(e)
			if changed := e.Hash() != base; changed != test.changes {
				t.Errorf("hash changed: %v, want %v", changed, test.changes)
			}
		})
	}
}

// The hash of a document is that of the route it came from: the manager
// computes it before, the receiver after the way through the Secret.
func TestHashSurvivesTheDocument(t *testing.T) {
	t.Parallel()
	got, err := route.Unmarshal(marshal(t, full()))
	if err != nil {
		t.Fatal(err)
	}
	if got.Hash() != full().Hash() {
		t.Error("the hash differs after a round trip")
	}
}

func TestIndexHash(t *testing.T) {
	t.Parallel()
	base := route.IndexHash(map[string]string{"a": "1", "b": "2"})
	for name, other := range map[string]map[string]string{
		"nothing":   {},
		"one less":  {"a": "1"},
		"one more":  {"a": "1", "b": "2", "c": "3"},
		"swapped":   {"a": "2", "b": "1"},
		"shifted":   {"a1": "", "b": "2"},
		"other uid": {"a": "1", "c": "2"},
	} {
		if route.IndexHash(other) == base {
			t.Errorf("%s: another set has the same hash", name)
		}
	}
	for range 20 {
		if route.IndexHash(map[string]string{"b": "2", "a": "1"}) != base {
			t.Fatal("the same set has another hash")
		}
	}
}

func FuzzUnmarshal(f *testing.F) {
	data, err := full().Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"schemaVersion":1,"keys":[{"name":"a"}],"keyValues":[null]}`))
	f.Add([]byte(`{"schemaVersion":1,"targets":[{"name":"a"},{"name":"a"}],"signingKeys":{"a":"eA=="}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := route.Unmarshal(data)
		if err != nil {
			return
		}
		again, err := first.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		second, err := route.Unmarshal(again)
		if err != nil {
			t.Fatalf("what was accepted is refused after a round trip: %v", err)
		}
		if first.Hash() != second.Hash() {
			t.Error("the hash differs after a round trip")
		}
	})
}
