package verify_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/verify"
)

// vector is one real request and what must become of it.
type vector struct {
	Provider    string
	Case        string
	Secret      any
	PublicKey   string            `json:"public_key"`
	SecretExtra map[string]string `json:"secret_extra"`
	Headers     map[string]string
	URL         string
	Method      string
	Body        []byte `json:"body_base64"`
	NowUnix     int64  `json:"now_unix"`
	ToleranceS  int64  `json:"tolerance_s"`
	Expect      string
	Source      string
}

func loadVectors(t testing.TB) []vector {
	t.Helper()
	var all []vector
	for _, file := range []string{"testdata/vectors.json", "testdata/official.json"} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var vectors []vector
		if err := json.Unmarshal(data, &vectors); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, vectors...)
	}
	return all
}

// extraOptions names the options that the vectors' extra facts stand for.
var extraOptions = map[string]string{
	"webhook_id": "webhookID", "audience": "audience", "email": "email", "public_key": "publicKey",
}

// publicOptions names the option that holds a provider's public material.
var publicOptions = map[string]string{
	"aws-sns": "certificate", "paypal": "certificate", "google-pubsub": "jwks", "plaid": "jwks",
}

func (v *vector) config(t testing.TB) verify.Config {
	t.Helper()
	config := verify.Config{
		Source: route.Source{Provider: v.Provider, ToleranceSeconds: v.ToleranceS, Options: map[string]string{}},
		URL:    v.URL,
	}
	switch secret := v.Secret.(type) {
	case string:
		config.Keys = []route.Key{{Name: "secret", Value: []byte(secret)}}
	case []any:
		for _, one := range secret {
			config.Keys = append(config.Keys, route.Key{Name: "secret", Value: []byte(one.(string))})
		}
	}
	if v.PublicKey != "" {
		name := publicOptions[v.Provider]
		if name == "" {
			name = "publicKey"
		}
		config.Source.Options[name] = v.PublicKey
	}
	for name, value := range v.SecretExtra {
		config.Source.Options[extraOptions[name]] = value
	}
	return config
}

func (v *vector) request(t testing.TB) *verify.Request {
	t.Helper()
	header := http.Header{}
	for name, value := range v.Headers {
		header.Add(name, value)
	}
	u, err := url.Parse(v.URL)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(v.NowUnix, 0)
	if v.NowUnix == 0 {
		now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	}
	return &verify.Request{Method: v.Method, RawQuery: u.RawQuery, Header: header, Body: v.Body, Now: now}
}

func TestVectors(t *testing.T) {
	t.Parallel()
	for _, v := range loadVectors(t) {
		t.Run(v.Provider+"/"+v.Case, func(t *testing.T) {
			t.Parallel()
			verifier, err := verify.Compile(v.config(t))
			if err != nil {
				t.Fatalf("compile: %v", err)
			}
			_, err = verifier.Verify(t.Context(), v.request(t))
			var rejection *verify.Rejection
			switch {
			case v.Expect == "accept" && err != nil:
				t.Errorf("refused: %v (from %s)", err, v.Source)
			case v.Expect == "reject" && err == nil:
				t.Errorf("accepted (from %s)", v.Source)
			case err != nil && !errors.As(err, &rejection):
				t.Errorf("no judgement: %v", err)
			}
		})
	}
}
