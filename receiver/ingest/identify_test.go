package ingest_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/ingest"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/route/routetest"
	"github.com/postern-dev/postern/receiver/verify"
)

// delivery is what one request of a scheme has of its own.
type delivery struct {
	method, query, id, topic string
	second                   int
	body                     string
}

// schemes are endpoints of each identity, without a second mark and with one.
var schemes = map[string]*route.Scheme{
	"signed id":   {Content: "{id}.{timestamp}.{body}", ID: route.Field{Header: "X-Id"}},
	"unsigned id": {Content: "{timestamp}.{body}", ID: route.Field{Header: "X-Id"}},
	"request":     {Content: "{timestamp}.{body}"},
	"none":        {},
	"id alone":    {ID: route.Field{Header: "X-Id"}},
}

func init() {
	for _, scheme := range schemes {
		scheme.Algorithm = route.AlgorithmHMACSHA256
		scheme.Signature = route.Signature{Headers: []string{"X-Signature"}, Encoding: route.EncodingHex}
		if scheme.Content != "" {
			scheme.Timestamp = route.Timestamp{Header: "X-Time", Unit: route.UnitSeconds}
		}
	}
}

func (r *receiver) deliver(t *testing.T, scheme *route.Scheme, d delivery, secret string) reply {
	t.Helper()
	header := http.Header{}
	if d.id != "" {
		header.Set("X-Id", d.id)
	}
	if d.topic != "" {
		header.Set("X-Topic", d.topic)
	}
	if d.method == "" {
		d.method = http.MethodPost
	}
	header, err := verify.Sign(scheme, route.SecretBytes(secret), &verify.Draft{
		Method: d.method, RawQuery: d.query, Header: header, Body: []byte(d.body), ID: d.id,
		Now: r.clock.Load().Add(time.Duration(d.second) * time.Second),
	})
	if err != nil {
		t.Fatal(err)
	}
	path := "/ci/hook"
	if d.query != "" {
		path += "?" + d.query
	}
	request := r.request(d.method, path, []byte(d.body))
	request.Header = header
	return r.do(t, request)
}

// TestOwnSchemes: what a scheme names decides which requests are one event.
func TestOwnSchemes(t *testing.T) {
	t.Parallel()
	first := delivery{id: "1", topic: "a", body: `{"n":1}`}
	for name, test := range map[string]struct {
		scheme    string
		next      delivery
		edit      func(*route.Endpoint)
		duplicate bool
	}{
		"id: the same":           {scheme: "signed id", next: first, duplicate: true},
		"id: signed anew":        {scheme: "signed id", next: delivery{id: "1", second: 9, body: `{"n":2}`}, duplicate: true},
		"id: another":            {scheme: "signed id", next: delivery{id: "2", body: `{"n":1}`}},
		"id: alone, the same":    {scheme: "id alone", next: first, duplicate: true},
		"id: alone, another":     {scheme: "id alone", next: delivery{id: "2", body: `{"n":1}`}},
		"id: missing":            {scheme: "id alone", next: delivery{body: `{"n":1}`}},
		"unsigned id: old proof": {scheme: "unsigned id", next: delivery{id: "2", body: `{"n":1}`}, duplicate: true},
		"unsigned id: new proof": {scheme: "unsigned id", next: delivery{id: "2", second: 1, body: `{"n":1}`}},
		"unsigned id: old proof, other query": {scheme: "unsigned id",
			next: delivery{id: "2", query: "order=2", body: `{"n":1}`}},
		"unsigned id: old proof, other method": {scheme: "unsigned id",
			next: delivery{id: "2", method: http.MethodPut, body: `{"n":1}`}},
		"request: the same":     {scheme: "request", next: first, duplicate: true},
		"request: later":        {scheme: "request", next: delivery{second: 1, body: `{"n":1}`}},
		"request: other body":   {scheme: "request", next: delivery{body: `{"n":2}`}},
		"request: other query":  {scheme: "request", next: delivery{query: "order=2", body: `{"n":1}`}},
		"request: other method": {scheme: "request", next: delivery{method: http.MethodPut, body: `{"n":1}`}},
		"none: the same":        {scheme: "none", next: first},
		"none: guarded":         {scheme: "none", next: first, duplicate: true, edit: guardBody},
		"none: own key": {scheme: "none", next: delivery{topic: "a", body: `{"n":2}`}, duplicate: true,
			edit: keyedBy(`headers["x-topic"]`)},
		"none: own key is empty": {scheme: "none", next: first, edit: keyedBy(`""`)},
		"id: own key is empty":   {scheme: "id alone", next: first, duplicate: true, edit: keyedBy(`""`)},
		"id: own key is empty, other id": {scheme: "id alone", next: delivery{id: "2", body: `{"n":1}`},
			edit: keyedBy(`""`)},
		"request: own key fails": {scheme: "request", next: first, duplicate: true, edit: keyedBy("string(body.missing)")},
		"off":                    {scheme: "signed id", next: first, edit: forget},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			scheme := schemes[test.scheme]
			r := newReceiver(t, ingest.Options{}, routetest.GitHub("hook", func(e *route.Endpoint) {
				e.Source = route.Source{Enforcement: route.EnforcementEnforce, Scheme: scheme}
				if test.edit != nil {
					test.edit(e)
				}
			}))
			r.stopClock()
			if got := r.deliver(t, scheme, first, routetest.Key); got.content["status"] != "accepted" {
				t.Fatalf("first: %d %s", got.status, got.body)
			}
			want := "accepted"
			if test.duplicate {
				want = "duplicate"
			}
			if got := r.deliver(t, scheme, test.next, routetest.Key); got.content["status"] != want {
				t.Errorf("second: %d %s, want %s", got.status, got.body, want)
			}
		})
	}
}

// TestEmptyBodiesHaveNoSecondMark: where there is no body, what is signed may be
// the time alone, which two events of one second share.
func TestEmptyBodiesHaveNoSecondMark(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, ingest.Options{}, routetest.GitHub("hook", func(e *route.Endpoint) {
		e.Source = route.Source{Enforcement: route.EnforcementEnforce, Scheme: schemes["unsigned id"]}
	}))
	r.stopClock()
	for _, send := range []struct{ id, want string }{{"1", "accepted"}, {"2", "accepted"}, {"1", "duplicate"}} {
		if got := r.deliver(t, schemes["unsigned id"], delivery{id: send.id}, routetest.Key); got.content["status"] != send.want {
			t.Errorf("id %s: %d %s, want %s", send.id, got.status, got.body, send.want)
		}
	}
}

func guardBody(e *route.Endpoint) { e.Deduplication.ReplayGuard = route.ReplayGuardBody }
func forget(e *route.Endpoint)    { e.Deduplication.WindowSeconds = 0 }

func keyedBy(expression string) func(*route.Endpoint) {
	return func(e *route.Endpoint) { e.Deduplication.KeyExpression = expression }
}

// stopClock keeps signed times the same from one request to the next.
func (r *receiver) stopClock() {
	now := time.Now()
	r.clock.Store(&now)
}

// TestUnverifiedRequestsAreNoCopies: under Audit a forged request is delivered,
// and the real one after it too.
func TestUnverifiedRequestsAreNoCopies(t *testing.T) {
	t.Parallel()
	for name, scheme := range schemes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReceiver(t, ingest.Options{}, routetest.GitHub("hook", func(e *route.Endpoint) {
				e.Source = route.Source{Enforcement: route.EnforcementAudit, Scheme: scheme}
			}))
			r.stopClock()
			event := delivery{id: "1", body: `{}`}
			for i, secret := range []string{"forged", routetest.Key} {
				if got := r.deliver(t, scheme, event, secret); got.content["status"] != "accepted" {
					t.Errorf("request %d: %d %s, want accepted", i, got.status, got.body)
				}
			}
		})
	}
}

// TestRequestsWithoutProof: two that differ in the query alone, and two that do
// not differ at all, are two events each.
func TestRequestsWithoutProof(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, ingest.Options{}, routetest.GitHub("hook", routetest.Provider("none"), func(e *route.Endpoint) {
		e.Keys = nil
	}))
	for _, query := range []string{"order=1", "order=2", "order=2"} {
		got := r.do(t, r.request(http.MethodPost, "/ci/hook?"+query, nil))
		if got.content["status"] != "accepted" {
			t.Errorf("%s: %d %s, want accepted", query, got.status, got.body)
		}
	}
	if n := r.count(t, "uid-hook"); n != 3 {
		t.Errorf("%d events, want 3", n)
	}
}

// TestPartsAreNotJoinedAlike: ids that differ only in where one part ends.
func TestPartsAreNotJoinedAlike(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, ingest.Options{}, routetest.GitHub("hook", func(e *route.Endpoint) {
		e.Source = route.Source{Enforcement: route.EnforcementEnforce, Scheme: &route.Scheme{
			Algorithm: route.AlgorithmToken, Signature: route.Signature{Headers: []string{"X-Token"}},
			ID: route.Field{Header: "X-Id", JSON: "id"},
		}}
	}))
	for i, send := range []struct{ header, body string }{{"1", `{"id":"2"}`}, {"", `{"id":"1"}`}, {"2", `{"id":"1"}`}} {
		request := r.request(http.MethodPost, "/ci/hook", []byte(send.body))
		request.Header.Set("X-Token", routetest.Key)
		if send.header != "" {
			request.Header.Set("X-Id", send.header)
		}
		if got := r.do(t, request); got.content["status"] != "accepted" {
			t.Errorf("request %d: %s", i, fmt.Sprint(got.status, got.body))
		}
	}
}
