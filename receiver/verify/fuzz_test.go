package verify_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/verify"
)

// acceptsNothing fails when a request is accepted under a key that its author
// did not have.
func acceptsNothing(t *testing.T, v verify.Verifier, request *verify.Request) {
	t.Helper()
	verdict, err := v.Verify(t.Context(), request)
	if err == nil && verdict.Handshake == nil {
		t.Fatalf("accepted %s %q %v %q", request.Method, request.RawQuery, request.Header, request.Body)
	}
}

// FuzzSignatureHeader feeds the proof headers of every provider.
func FuzzSignatureHeader(f *testing.F) {
	type target struct {
		verifier verify.Verifier
		headers  []string
	}
	var targets []target
	for _, p := range verify.Presets() {
		if len(p.Variants) == 0 || p.Class == verify.ClassStatic {
			continue
		}
		secret := secretOf(p, '7')
		if p.Class == verify.ClassEd25519 {
			secret = strings.Repeat("ab", 32)
			if p.Variants[0].Scheme.Key.Encoding == route.EncodingBase64 {
				secret = strings.Repeat("A", 43) + "="
			}
		}
		v, err := verify.Compile(verify.Config{
			Source: route.Source{Provider: p.Name}, URL: "https://h.example/p",
			Keys: []route.Key{{Name: "secret", Value: []byte(secret)}},
		})
		if err != nil {
			f.Fatal(err)
		}
		targets = append(targets, target{v, p.Headers})
	}
	for _, v := range loadVectors(f) {
		for _, value := range v.Headers {
			f.Add(value, "1614265330", v.Body)
		}
	}
	f.Add("t=1,t=1,v1=,v1=00,,=", "", []byte("{}"))
	f.Fuzz(func(t *testing.T, signature, other string, body []byte) {
		for _, target := range targets {
			header := http.Header{}
			for i, name := range target.headers {
				header.Set(name, other)
				if i == 0 {
					header.Set(name, signature)
				}
			}
			acceptsNothing(t, target.verifier, &verify.Request{
				Method: http.MethodPost, Header: header, Body: body, Now: signedAt,
			})
		}
	})
}

// FuzzBody feeds the schemes that read their proof from the body.
func FuzzBody(f *testing.F) {
	providers := []string{"adyen-payments", "mailgun", "figma", "microsoft-graph", "lark", "aircall", "sharepoint"}
	verifiers := map[string]verify.Verifier{}
	for _, name := range providers {
		p, _ := verify.Lookup(name)
		v, err := verify.Compile(verify.Config{
			Source: route.Source{Provider: name}, Keys: []route.Key{{Name: "secret", Value: []byte(secretOf(p, '7') + "77")}},
		})
		if err != nil {
			f.Fatal(err)
		}
		verifiers[name] = v
	}
	for _, v := range loadVectors(f) {
		if slices.Contains(providers, v.Provider) {
			f.Add("application/json", v.Body)
		}
	}
	f.Add("multipart/form-data; boundary=x", []byte("--x\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\na\r\n--x--"))
	f.Add("application/x-www-form-urlencoded", []byte("timestamp=1&token=2&signature=3"))
	f.Add("", []byte(`{"value":[{"clientState":"x"}]}`))
	f.Add("", []byte(`{"encrypt":"P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk="}`)) // of Lark's documentation
	f.Add("", []byte(`{"challenge":"c","token":"x","type":"url_verification"}`))
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		for _, v := range verifiers {
			acceptsNothing(t, v, &verify.Request{
				Method: http.MethodPost, Header: http.Header{"Content-Type": {contentType}}, Body: body, Now: signedAt,
			})
		}
	})
}

// FuzzQuery feeds the handshakes: whatever they answer, it is no event.
func FuzzQuery(f *testing.F) {
	providers := []string{"meta", "x", "linkedin", "dropbox", "microsoft-graph", "mailchimp", "docker-hub", "cloudevents"}
	verifiers := map[string]verify.Verifier{}
	for _, name := range providers {
		v, err := verify.Compile(verify.Config{
			Source: route.Source{Provider: name}, Keys: []route.Key{{Name: "secret",
				Value: []byte("a long secret, not guessed")}},
		})
		if err != nil {
			f.Fatal(err)
		}
		verifiers[name] = v
	}
	f.Add("GET", "hub.mode=subscribe&hub.challenge=1&hub.verify_token=x")
	f.Add("GET", "crc_token=foo&challenge=x&challengeCode=y")
	f.Add("POST", "validationToken=%zz&secret=x;access_token=y")
	f.Fuzz(func(t *testing.T, method, query string) {
		for _, v := range verifiers {
			acceptsNothing(t, v, &verify.Request{Method: method, RawQuery: query, Header: http.Header{}, Now: signedAt})
		}
	})
}

// FuzzScheme compiles arbitrary templates, paths and timestamps; what compiles
// must judge without panicking.
func FuzzScheme(f *testing.F) {
	f.Add("v0:{timestamp}:{body}", "a.b[0]", "1614265330", "Seconds", []byte(`{"a":{"b":["x"]}}`))
	f.Add("{json:x}{header:y}{url}{{", "[", "2020-01-01T00:00:00-07:00", "RFC3339", []byte(`[[[[`))
	f.Add("{body}", "$.a", "99999999999999999999", "Milliseconds", []byte(`{"a":"\ud83d\ude00"}`))
	f.Fuzz(func(t *testing.T, content, path, timestamp, unit string, body []byte) {
		v, err := verify.Compile(verify.Config{
			Source: route.Source{Scheme: &route.Scheme{
				Algorithm: route.AlgorithmHMACSHA256, Content: content,
				Signature: route.Signature{Headers: []string{"X-Signature"}, Encoding: route.EncodingBase64},
				Timestamp: route.Timestamp{Header: "X-Time", Unit: route.TimestampUnit(unit)},
				ID:        route.Field{JSON: path}, EventType: route.Field{JSON: path},
			}},
			URL: "https://h.example/p", Keys: []route.Key{{Name: "secret", Value: []byte("a long secret, not guessed")}},
		})
		if err != nil {
			return
		}
		acceptsNothing(t, v, &verify.Request{
			Method: http.MethodPost, Body: body, Now: signedAt,
			Header: http.Header{"X-Signature": {timestamp}, "X-Time": {timestamp}, "Y": {timestamp}},
		})
	})
}
