package ingest_test

import (
	"cmp"
	"encoding/json"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/ingest"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/route/routetest"
)

// sequence is a case of testdata/sequences.json: requests to one endpoint in the
// order in which they come.
type sequence struct {
	Case string `json:"case"`
	// Source is the report or the page that says what is right.
	Source   string       `json:"source"`
	Note     string       `json:"note"`
	Endpoint route.Source `json:"endpoint"`
	Secret   string       `json:"secret"`
	// Key is deduplication.key.
	Key string `json:"key"`
	// At is the time of the requests in seconds since 1970; 0 is now.
	At       int64 `json:"at"`
	Requests []struct {
		Method  string            `json:"method"`
		Query   string            `json:"query"`
		Headers map[string]string `json:"headers"`
		Body    string            `json:"body"`
		// Answer is the word of the answer, of an acceptance or of a refusal.
		Answer string `json:"answer"`
	} `json:"requests"`
}

// TestSequences sends the requests of public reports in which an event was taken
// for a copy, or a copy for an event.
func TestSequences(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/sequences.json")
	if err != nil {
		t.Fatal(err)
	}
	var sequences []sequence
	if err := json.Unmarshal(data, &sequences); err != nil {
		t.Fatal(err)
	}
	for _, s := range sequences {
		t.Run(s.Case, func(t *testing.T) {
			t.Parallel()
			if s.Source == "" || len(s.Requests) < 2 {
				t.Error("a sequence needs its source and two requests")
			}
			s.run(t)
		})
	}
}

func (s *sequence) run(t *testing.T) {
	t.Helper()
	r := newReceiver(t, ingest.Options{}, routetest.GitHub("hook", func(e *route.Endpoint) {
		e.Source, e.Keys = s.Endpoint, nil
		e.Source.Enforcement = route.EnforcementEnforce
		if s.Secret != "" {
			e.Keys = []route.Key{{Name: "secret", Value: route.SecretBytes(s.Secret)}}
		}
		e.Deduplication.KeyExpression = s.Key
	}))
	if s.At != 0 {
		at := time.Unix(s.At, 0)
		r.clock.Store(&at)
	}
	for i, sent := range s.Requests {
		request := r.request(sent.Method, "/ci/hook?"+sent.Query, []byte(sent.Body))
		request.Header = http.Header{}
		for name, value := range sent.Headers {
			request.Header.Set(name, value)
		}
		got := r.do(t, request)
		if word := cmp.Or(got.content["status"], got.content["error"]); word != sent.Answer {
			t.Errorf("request %d: %d %s, want %s (%s: %s)", i, got.status, got.body, sent.Answer, s.Source, s.Note)
		}
	}
}
