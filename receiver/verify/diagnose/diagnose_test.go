package diagnose_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/verify"
	"github.com/postern-dev/postern/receiver/verify/diagnose"
	"github.com/postern-dev/postern/receiver/verify/sign"
)

var now = time.Date(2026, 3, 6, 12, 0, 0, 0, time.UTC)

// explain verifies a request that is not acceptable and returns the causes.
func explain(t *testing.T, config verify.Config, request *verify.Request) []diagnose.Finding {
	t.Helper()
	v, err := verify.Compile(config)
	if err != nil {
		t.Fatal(err)
	}
	_, refusal := v.Verify(t.Context(), request)
	var rejection *verify.Rejection
	if !errors.As(refusal, &rejection) {
		t.Fatalf("got %v, want a rejection", refusal)
	}
	return diagnose.Explain(t.Context(), config, request, refusal)
}

func build(t *testing.T, provider, secret, body string) *verify.Request {
	t.Helper()
	event := sign.Event{Provider: provider, Secret: []byte(secret), Now: now}
	if body != "" {
		event.Body = []byte(body)
	}
	r, err := sign.Build(event)
	if err != nil {
		t.Fatal(err)
	}
	return &verify.Request{Method: r.Method, RawQuery: r.RawQuery, Header: r.Header, Body: r.Body, Now: now}
}

func config(provider, secret string) verify.Config {
	return verify.Config{
		Source: route.Source{Provider: provider}, URL: "https://hooks.example.com/team/" + provider,
		Keys: []route.Key{{Name: "current", Value: []byte(secret)}},
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	const secret = "TOPSECRET-key"
	inBase64 := base64.StdEncoding.EncodeToString([]byte(secret))
	body := func(text string) func(*verify.Request) {
		return func(r *verify.Request) { r.Body = []byte(text) }
	}
	header := func(name, value string) func(*verify.Request) {
		return func(r *verify.Request) { r.Header.Set(name, value) }
	}
	for name, c := range map[string]struct {
		provider, signWith, verifyWith, body string
		change                               func(*verify.Request)
		cause                                string
	}{
		"newline added": {"github", secret, secret, `{"a":1}`, body("{\"a\":1}\n"), "body_trailing_newline"},
		"newline lost":  {"github", secret, secret, "{\"a\":1}\n", body(`{"a":1}`), "body_trailing_newline"},
		"CR LF lost":    {"github", secret, secret, "{\"a\":1}\r\n", body(`{"a":1}`), "body_trailing_newline"},
		"line ends":     {"github", secret, secret, "{\r\n}", body("{\n}"), "body_line_ends"},
		"indented":      {"github", secret, secret, `{"a":1}`, body("{\n  \"a\": 1\n}"), "body_reserialised"},
		"compacted":     {"github", secret, secret, "{\n  \"a\": 1\n}", body(`{"a":1}`), "body_reserialised"},
		"python": {
			"github", secret, secret, `{"a": "x,\":y", "b": 1}`, body(`{"a":"x,\":y","b":1}`),
			"body_reserialised",
		},
		"unescaped": {
			"meta", secret, secret, `{"a":"\u00e4\ud83d\ude00"}`, body(`{"a":"ä😀"}`), "body_reserialised",
		},
		"lost":           {"zendesk", secret, secret, "", body("lost"), ""},
		"white space":    {"github", secret, " " + secret, "", nil, "key_white_space"},
		"quoted":         {"github", secret, `"` + secret + `"`, "", nil, "key_quoted"},
		"encoded twice":  {"github", secret, inBase64, "", nil, "key_encoded"},
		"raw for base64": {"bigcommerce", secret, "whsec_" + secret, "", nil, "key_form"},
		"trailing slash": {"square", secret, secret, "", nil, ""},
		"clock": {
			"stripe", secret, secret, "", func(r *verify.Request) { r.Now = now.Add(time.Hour) }, "clock",
		},
		"other provider": {
			"github", secret, secret, "",
			func(r *verify.Request) { r.Header = http.Header{"Stripe-Signature": {"t=1"}} }, "other_provider",
		},
		"no prefix": {
			"github", secret, secret, "", func(r *verify.Request) { cut(r, "X-Hub-Signature-256", "sha256=") },
			"signature_form",
		},
		"nothing to tell":  {"github", secret, "another", "", nil, ""},
		"header of no one": {"github", secret, secret, "", header("X-Hub-Signature-256", "garbage"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			request := build(t, c.provider, c.signWith, c.body)
			if c.change != nil {
				c.change(request)
			}
			conf := config(c.provider, c.verifyWith)
			if name == "trailing slash" {
				conf.URL += "/"
				c.cause = "url"
			}
			found := explain(t, conf, request)
			if c.cause == "" {
				if len(found) != 0 {
					t.Errorf("found %+v, want nothing", found)
				}
				return
			}
			if len(found) == 0 || found[0].Cause != c.cause {
				t.Fatalf("found %+v, want %s", found, c.cause)
			}
			for _, f := range found {
				if strings.Contains(f.Text, secret) || strings.Contains(f.Text, inBase64) {
					t.Errorf("the key is in %q", f.Text)
				}
			}
		})
	}
}

func cut(r *verify.Request, name, prefix string) {
	r.Header.Set(name, strings.TrimPrefix(r.Header.Get(name), prefix))
}

func TestExplainFindsTheFormOfASignature(t *testing.T) {
	t.Parallel()
	scheme := route.Scheme{
		Algorithm: route.AlgorithmHMACSHA256,
		Signature: route.Signature{Headers: []string{"X-Signature"}, Encoding: route.EncodingHex},
	}
	for _, change := range []func(*route.Scheme){
		func(s *route.Scheme) { s.Algorithm = route.AlgorithmHMACSHA1 },
		func(s *route.Scheme) { s.Algorithm = route.AlgorithmHMACSHA512 },
		func(s *route.Scheme) { s.Signature.Encoding = route.EncodingBase64 },
		func(s *route.Scheme) { s.Signature.Prefix = "sha256=" },
	} {
		other := scheme
		change(&other)
		header, err := verify.Sign(&other, []byte("secret"),
			&verify.Draft{Method: http.MethodPost, Body: []byte("x"), Now: now})
		if err != nil {
			t.Fatal(err)
		}
		conf := verify.Config{
			Source: route.Source{Scheme: &scheme}, Keys: []route.Key{{Name: "current", Value: []byte("secret")}},
		}
		found := explain(t, conf, &verify.Request{Method: http.MethodPost, Header: header, Body: []byte("x"), Now: now})
		if len(found) != 1 || found[0].Cause != "signature_form" {
			t.Errorf("found %+v for %+v, want signature_form", found, other)
		}
	}
}

func TestExplainKnowsOnlyRejections(t *testing.T) {
	t.Parallel()
	if found := diagnose.Explain(t.Context(), verify.Config{}, &verify.Request{}, errors.New("no answer")); found != nil {
		t.Errorf("found %+v", found)
	}
}
