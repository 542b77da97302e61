package verify_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/ingest"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/route/routetest"
	"github.com/postern-dev/postern/receiver/table"
	"github.com/postern-dev/postern/receiver/verify"
	"github.com/postern-dev/postern/receiver/verify/sign"
)

// parts are the variables of a request by name, such as "json:event.id".
type parts map[string]string

// shape is a request of a preset: which variables it has, and when it is signed.
type shape struct {
	parts  parts
	query  string
	method string
	later  time.Duration
	// path is that of another endpoint with the same source.
	path string
}

func (s shape) with(name, value string) shape {
	s.parts = maps.Clone(s.parts)
	s.parts[name] = value
	s.later += time.Second // an old proof under a fresh id is another matter
	return s
}

// provider is a handler with two endpoints of one preset.
type provider struct {
	verify.Preset
	handler http.Handler
	secret  string
	options map[string]string
}

// optional are options without which a preset's requests have no signed time.
var optional = map[string]map[string]string{"grafana": {"timestampHeader": "X-Ts"}}

func newProvider(t *testing.T, p verify.Preset) *provider {
	t.Helper()
	one := &provider{Preset: p, secret: secretOf(p, '1'), options: optional[p.Name]}
	keys := []route.Key{{Name: "key", Value: route.SecretBytes(one.secret)}}
	if strings.Contains(private, " "+p.Name+" ") {
		pair := keyPairOf(t, p.Name)
		one.secret, one.options = pair.private, pair.options
		keys = nil
		if p.Name == "braintree" {
			keys = []route.Key{{Name: "key", Value: route.SecretBytes(one.secret)}}
		}
	}
	of := func(name string) *route.Endpoint {
		return routetest.GitHub(name, routetest.Provider(p.Name), func(e *route.Endpoint) {
			e.URL = "https://hooks.example.com/team/" + p.Name
			e.Source.Options = one.options
			e.Deduplication.WindowSeconds = int64(p.Window() / time.Second)
			e.Keys = keys
		})
	}
	var tables table.Current
	tables.Set(table.Build([]*route.Endpoint{of("hook"), of("other")}, nil))
	for uid, err := range tables.Get().Problems() {
		t.Fatalf("%s: %v", uid, err)
	}
	one.handler = ingest.New(ingest.Options{
		Tables: tables.Get, Store: queue.NewMemory(queue.MemoryOptions{}),
		Now: func() time.Time { return signedAt.Add(time.Minute / 2) },
	})
	return one
}

// variables lists what stands between braces.
func variables(template string) []string {
	var names []string
	for piece := range strings.SplitSeq(template, "{") {
		if name, _, ok := strings.Cut(piece, "}"); ok && strings.Contains(name, ":") {
			names = append(names, name)
		}
	}
	return names
}

// send signs a request of that shape and returns the status that it is answered.
func (p *provider) send(t *testing.T, s shape) string {
	t.Helper()
	request := p.build(t, s)
	path := "/ci/hook"
	if s.path != "" {
		path = s.path
	}
	if request.RawQuery != "" {
		path += "?" + request.RawQuery
	}
	sent := httptest.NewRequestWithContext(t.Context(), request.Method, path, bytes.NewReader(request.Body))
	sent.Header = request.Header
	recorder := httptest.NewRecorder()
	p.handler.ServeHTTP(recorder, sent)
	var answer struct{ Status, Error string }
	if err := json.Unmarshal(recorder.Body.Bytes(), &answer); err != nil {
		t.Fatalf("answer %d %q: %v", recorder.Code, recorder.Body, err)
	}
	return answer.Status + answer.Error
}

func (p *provider) build(t *testing.T, s shape) *sign.Request {
	t.Helper()
	now := signedAt.Add(s.later)
	scheme, ok := p.SchemeFor([]byte(p.secret), p.options)
	if !ok {
		return p.buildSpecial(t, s, now)
	}
	header := http.Header{"Content-Type": {"application/json"}}
	var document any = map[string]any{"example": s.parts["body"]}
	for _, name := range slices.Concat(variables(scheme.Content), []string{
		"header:" + scheme.ID.Header, "json:" + scheme.ID.JSON,
	}) {
		if _, given := s.parts[name]; !given && !strings.HasSuffix(name, ":") {
			s = shape{parts: maps.Clone(s.parts), query: s.query, method: s.method}
			s.parts[name] = fmt.Sprint(now.Unix())
		}
	}
	for name, value := range s.parts {
		kind, key, _ := strings.Cut(name, ":")
		switch kind {
		case "header":
			header.Set(key, value)
		case "json":
			document = withValue(document, key, value)
		}
	}
	if path := scheme.Timestamp.JSON; path != "" {
		document = withValue(document, path, now.UnixMilli())
	}
	body, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	draft := &verify.Draft{
		Method: s.method, RawQuery: s.query, Header: header, Body: body, Now: now,
		URL: "https://hooks.example.com/team/" + p.Name,
	}
	if draft.Method == "" {
		draft.Method = p.Methods[0]
	}
	header, err = verify.Sign(&scheme, []byte(p.secret), draft)
	if err != nil {
		t.Fatal(err)
	}
	return &sign.Request{Method: draft.Method, RawQuery: s.query, Header: header, Body: body}
}

// buildSpecial changes the sample of a preset whose scheme needs code.
func (p *provider) buildSpecial(t *testing.T, s shape, now time.Time) *sign.Request {
	t.Helper()
	event := sign.Event{Provider: p.Name, Secret: []byte(p.secret), Options: p.options, Now: now, ID: "1"}
	for _, name := range variables(p.DeliveryID) {
		if strings.HasPrefix(name, "header:") {
			event.ID = cmp.Or(s.parts[name], event.ID)
		}
	}
	for _, name := range variables(p.EventType) {
		if strings.HasPrefix(name, "header:") {
			event.Type = cmp.Or(event.Type, s.parts[name])
		}
	}
	if p.Name == "aws-sns" {
		event.ID, event.Options = s.parts["json:MessageId"], map[string]string{"topicARN": s.parts["json:TopicArn"]}
	}
	sample, err := sign.Build(event)
	if err != nil {
		t.Fatal(err)
	}
	var document any
	if json.Unmarshal(sample.Body, &document) == nil && !signsFields[p.Name] {
		for _, name := range variables(p.DeliveryID) {
			if path, ok := strings.CutPrefix(name, "json:"); ok && s.parts[name] == "" {
				remove(document, path) // the sample's own, of another alternative
			}
		}
		for name, value := range s.parts {
			if path, ok := strings.CutPrefix(name, "json:"); ok {
				document = withValue(document, path, value)
			}
		}
		if text := s.parts["body"]; text != "" {
			document = withValue(document, "example", text)
		}
		if event.Body, err = json.Marshal(document); err != nil {
			t.Fatal(err)
		}
	}
	request, err := sign.Build(event)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Concat(variables(p.DeliveryID), slices.Collect(maps.Keys(s.parts))) {
		if key, ok := strings.CutPrefix(name, "header:"); ok && s.parts[name] != "" {
			request.Header.Set(key, s.parts[name])
		} else if ok {
			request.Header.Del(key) // the signer's own, of another alternative
		}
	}
	request.RawQuery = strings.Trim(request.RawQuery+"&"+s.query, "&")
	return request
}

// signsFields are presets that sign fields of the body inside it: a change needs
// the signer's own sample.
var signsFields = map[string]bool{"adyen-payments": true, "mailgun": true, "lark": true, "aws-sns": true}

func withValue(document any, path string, value any) any {
	name, rest, more := strings.Cut(path, ".")
	name, index, indexed := strings.Cut(name, "[0]")
	switch {
	case indexed && name == "":
		list, _ := document.([]any)
		if len(list) == 0 {
			list = []any{map[string]any{}}
		}
		if rest = strings.TrimPrefix(strings.TrimPrefix(path, "[0]"), "."); rest != "" {
			value = withValue(list[0], rest, value)
		}
		return append([]any{value}, list[1:]...)
	case indexed:
		rest, more = strings.TrimSuffix("[0]"+index+"."+rest, "."), true
	}
	object, ok := document.(map[string]any)
	if !ok {
		object = map[string]any{}
	}
	if more {
		value = withValue(object[name], rest, value)
	}
	object[name] = value
	return object
}

// remove takes a member out of an object.
func remove(document any, path string) {
	name, rest, more := strings.Cut(path, ".")
	object, _ := document.(map[string]any)
	if more {
		remove(object[name], rest)
		return
	}
	delete(object, name)
}

// TestWhatTellsEventsApartMakesTwoEvents: requests that differ in anything that
// a preset names are never duplicates of each other. The same request is one
// wherever the preset has an identity.
func TestWhatTellsEventsApartMakesTwoEvents(t *testing.T) {
	t.Parallel()
	for _, p := range sendable() {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			switch p.Identity {
			case verify.IdentityID:
				testIDs(t, p)
			case verify.IdentityRequest:
				testRequests(t, p)
			default:
				testNone(t, p)
			}
		})
	}
}

// testIDs tries each alternative of the id for itself.
func testIDs(t *testing.T, p verify.Preset) {
	for alternative := range strings.SplitSeq(p.DeliveryID, " | ") {
		one := newProvider(t, p)
		names := variables(alternative)
		for _, template := range p.DistinguishedBy {
			names = append(names, variables(template)...)
		}
		if signsFields[p.Name] && p.Name != "aws-sns" {
			names = nil
		}
		// A body is either an object or an array.
		array := strings.Contains(alternative, "{json:[0]")
		names = slices.DeleteFunc(names, func(name string) bool {
			return strings.HasPrefix(name, "json:") && strings.HasPrefix(name, "json:[0]") != array ||
				p.Name == "aws-sns" && name == "json:Type" // one of three words, each with other fields
		})
		first := shape{parts: parts{}}
		for _, name := range names {
			first.parts[name] = "1"
		}
		expect(t, one, first, "accepted", "the first by "+alternative)
		expect(t, one, first, "duplicate", "the same by "+alternative)
		slices.Sort(names)
		for _, name := range slices.Compact(names) {
			next := first.with(name, "2")
			expect(t, one, next, "accepted", "another "+name)
			first.later = next.later
		}
	}
}

func testRequests(t *testing.T, p verify.Preset) {
	one := newProvider(t, p)
	first := shape{parts: parts{"body": "1"}, query: "a=1"}
	for _, template := range p.DistinguishedBy {
		for _, name := range variables(template) {
			first.parts[name] = "1"
		}
	}
	expect(t, one, first, "accepted", "the first")
	expect(t, one, first, "duplicate", "the same")
	for name := range first.parts {
		next := first.with(name, "2")
		next.later = first.later
		expect(t, one, next, "accepted", "another "+name)
	}
	later, query, other := first, first, first
	later.later, query.query, other.path = time.Second, "a=2", "/ci/other"
	expect(t, one, later, "accepted", "another time")
	expect(t, one, query, "accepted", "another query")
	expect(t, one, other, "accepted", "another path")
	if methods := eventMethods(p); len(methods) > 1 {
		method := first
		method.method = methods[1]
		expect(t, one, method, "accepted", "another method")
	}
}

// eventMethods are those that carry events.
func eventMethods(p verify.Preset) []string {
	if p.Handshake != "" {
		return p.Methods[:1]
	}
	return p.Methods
}

func testNone(t *testing.T, p verify.Preset) {
	one := newProvider(t, p)
	first := shape{parts: parts{"body": "1"}}
	expect(t, one, first, "accepted", "the first")
	expect(t, one, first, "accepted", "the same")
}

func expect(t *testing.T, p *provider, s shape, want, what string) {
	t.Helper()
	if got := p.send(t, s); got != want {
		t.Errorf("%s: got %s, want %s", what, got, want)
	}
}
