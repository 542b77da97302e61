package verify_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/verify"
)

// report is a request that a public bug report, a document or a library of a
// provider tells of, and what must become of it.
type report struct {
	Case, Source, Note string
	Provider           string
	Scheme             *route.Scheme
	Options            map[string]string
	Secrets            [][]byte
	// URL is the one configured at the provider, with the query of the request.
	URL     string
	Method  string
	Headers [][2]string
	Body    []byte
	At      int64
	Expect  string
}

func TestReports(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/reports.json")
	if err != nil {
		t.Fatal(err)
	}
	var reports []report
	if err := json.Unmarshal(data, &reports); err != nil {
		t.Fatal(err)
	}
	for _, r := range reports {
		t.Run(r.Case, func(t *testing.T) {
			t.Parallel()
			if r.Source == "" {
				t.Error("the report has no source")
			}
			if got, detail := r.judge(t); got != r.Expect {
				t.Errorf("got %s (%v), want %s (%s: %s)", got, detail, r.Expect, r.Source, r.Note)
			}
		})
	}
}

// judge verifies the request and says in one word what became of it.
func (r *report) judge(t *testing.T) (string, error) {
	t.Helper()
	config := verify.Config{
		Source: route.Source{Provider: r.Provider, Scheme: r.Scheme, Options: r.Options}, URL: r.URL,
	}
	for i, secret := range r.Secrets {
		config.Keys = append(config.Keys, route.Key{Name: strconv.Itoa(i), Value: secret})
	}
	v, err := verify.Compile(config)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(r.URL)
	if err != nil {
		t.Fatal(err)
	}
	request := &verify.Request{
		Method: r.Method, RawQuery: u.RawQuery, Header: http.Header{}, Body: r.Body, Now: time.Unix(r.At, 0),
	}
	for _, header := range r.Headers {
		request.Header.Add(header[0], header[1])
	}
	verdict, err := v.Verify(t.Context(), request)
	var rejection *verify.Rejection
	switch {
	case errors.As(err, &rejection):
		return "rejected", err
	case err != nil:
		return "error", err
	case verdict.Handshake != nil:
		return "handshake", nil
	}
	return "verified", nil
}
