package server_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/route/routetest"
	"github.com/postern-dev/postern/receiver/server"
	"github.com/postern-dev/postern/receiver/verify"
)

// TestPublishedKeysAreFetched: a provider's published key reaches the endpoints
// of a running receiver.
func TestPublishedKeysAreFetched(t *testing.T) {
	t.Parallel()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	builder := newTarget(t, nil)
	w := start(t, builder.URL, func(o *server.Options) { o.Fetcher = publisher(t, private) })
	w.load(t, routetest.GitHub("hook", func(e *route.Endpoint) {
		e.Source = route.Source{
			Provider: "google-pubsub", Enforcement: route.EnforcementEnforce,
			Options: map[string]string{"audience": "https://hooks.example.com", "email": "push@example.com"},
		}
		e.Keys = nil
	}))
	push := func(key *rsa.PrivateKey) reply {
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: "k"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		token, err := jwt.Signed(signer).Claims(map[string]any{
			"iss": "https://accounts.google.com", "aud": "https://hooks.example.com", "exp": time.Now().Add(time.Hour).Unix(),
			"email": "push@example.com", "email_verified": true,
		}).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		request, err := http.NewRequestWithContext(context.Background(), http.MethodPost,
			"http://"+w.Addr().String()+"/ci/hook", strings.NewReader(`{"message":{"messageId":"7"}}`))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+token)
		return w.do(t, request)
	}
	if got := push(private); got.status != 200 || !strings.Contains(got.body, `"accepted"`) {
		t.Fatalf("answer %d %s", got.status, got.body)
	}
	header := builder.next(t).header
	if header.Get("Postern-Source") != "google-pubsub" || header.Get("Authorization") != "" {
		t.Errorf("the target got %v, want the source and no token", header)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	if got := push(other); got.status != 401 || !strings.Contains(got.body, "signature_mismatch") {
		t.Errorf("another key: %d %s", got.status, got.body)
	}
}

// publisher is a fetcher whose internet has only the public half of the key.
func publisher(t *testing.T, private *rsa.PrivateKey) *verify.Fetcher {
	t.Helper()
	published, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: &private.PublicKey, KeyID: "k", Algorithm: "RS256", Use: "sig"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	site := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != "www.googleapis.com" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(published)
	}))
	t.Cleanup(site.Close)
	return verify.NewFetcher(&http.Transport{
		DialTLSContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			dialer := &tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}
			return dialer.DialContext(ctx, network, site.Listener.Addr().String())
		},
	})
}
