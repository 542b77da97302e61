package verify

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/route"
)

// unplugged is a transport without a network.
type unplugged struct{}

func (unplugged) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("unplugged")
}

// FuzzFetchedDocument parses what a provider's host answers. The documents are
// put into the cache: flights of real fetches would make the coverage, and so
// the fuzzer, unsteady.
func FuzzFetchedDocument(f *testing.F) {
	now := time.Unix(1_758_600_000, 0)
	const certificate = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-01ab.pem"
	const issuer = "https://i.example"
	sources := []route.Source{
		{Provider: "aws-sns"}, {Provider: "travis"},
		{Provider: "google-pubsub", Options: map[string]string{"audience": "a", "email": "e"}},
		{Provider: "oidc", Options: map[string]string{"issuer": issuer, "audience": "a", "claims": "true"}},
	}
	// A token of RS256 that nobody signed.
	header := http.Header{"Signature": {"AAAA"}, "Authorization": {"Bearer eyJhbGciOiJSUzI1NiJ9.e30.AAAA"}}
	bodies := []string{"payload={}", `{"Type":"Notification","MessageId":"1","Message":"m","TopicArn":"t",` +
		`"Timestamp":"2026-01-01T00:00:00Z","Signature":"AAAA","SignatureVersion":"2","SigningCertURL":"` + certificate + `"}`}
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"))
	f.Add([]byte(`{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"},{"kty":"oct","k":"AAAA"}]}`))
	f.Add([]byte(`{"issuer":"https://i.example","jwks_uri":"https://i.example/jwks"}`))
	f.Add([]byte(`{"config":{"notifications":{"webhook":{"public_key":"x"}}}}`))
	f.Fuzz(func(t *testing.T, page []byte) {
		fetcher := NewFetcher(unplugged{})
		for _, address := range []string{
			certificate, googleKeys, travisConfig, issuer + "/.well-known/openid-configuration", issuer + "/jwks",
		} {
			fetcher.keep(address, page, nil, now)
		}
		for _, source := range sources {
			v, err := Compile(Config{Source: source, Fetcher: fetcher})
			if err != nil {
				t.Fatal(err)
			}
			for _, body := range bodies {
				request := &Request{Method: http.MethodPost, Header: header, Body: []byte(body), Now: now}
				if verdict, err := v.Verify(context.Background(), request); err == nil {
					t.Fatalf("%s accepted %+v", source.Provider, verdict)
				}
			}
		}
	})
}
