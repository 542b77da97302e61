package verify_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/postern-dev/postern/receiver/verify"
)

// site is a TLS server that stands in for every host on the internet.
type site struct {
	fetcher  *verify.Fetcher
	requests atomic.Int64
	// pages are by host and request URI; a path that is not there is 404.
	pages sync.Map
	// down makes every request fail.
	down atomic.Bool
}

func newSite(t *testing.T, pages map[string]string) *site {
	t.Helper()
	s := &site{}
	for address, page := range pages {
		s.pages.Store(address, page)
	}
	server := httptest.NewTLSServer(http.HandlerFunc(s.serve))
	t.Cleanup(server.Close)
	transport := &http.Transport{
		DialTLSContext: func(_ context.Context, network, _ string) (net.Conn, error) {
			return tls.Dial(network, server.Listener.Addr().String(),
				&tls.Config{InsecureSkipVerify: true}) // the stand-in has no name of its own
		},
	}
	s.fetcher = verify.NewFetcher(transport)
	t.Cleanup(s.fetcher.Close)
	return s
}

func (s *site) serve(w http.ResponseWriter, r *http.Request) {
	s.requests.Add(1)
	page, ok := s.pages.Load(r.Host + r.URL.RequestURI())
	switch {
	case s.down.Load():
		http.Error(w, "down", http.StatusServiceUnavailable)
	case !ok:
		http.NotFound(w, r)
	case strings.HasPrefix(page.(string), "https://"):
		http.Redirect(w, r, page.(string), http.StatusFound)
	default:
		_, _ = w.Write([]byte(page.(string)))
	}
}

const googleAddress = "www.googleapis.com/oauth2/v3/certs"

// pubSub is an endpoint whose keys are fetched.
func pubSub(t *testing.T, fetcher *verify.Fetcher) verify.Verifier {
	t.Helper()
	return endpoint{
		provider: "google-pubsub", fetcher: fetcher, options: map[string]string{
			"audience": "https://hooks.example.com", "email": "push@example.com",
		},
	}.compile(t)
}

// at is the request arriving so much later.
func at(request *verify.Request, later time.Duration) *verify.Request {
	return with(request, func(r *verify.Request) { r.Now = r.Now.Add(later) })
}

func TestFetchedKeysAreKeptAndOutliveAnOutage(t *testing.T) {
	t.Parallel()
	google := newIssuer(t)
	site := newSite(t, map[string]string{googleAddress: google.jwks})
	verifier := pubSub(t, site.fetcher)
	claims := changed(googleClaims(), "exp", specialNow.Add(100*time.Hour).Unix())
	push := bearerPost(google.token(t, claims))
	fetches := func(what string, want int64) {
		t.Helper()
		if n := site.requests.Load(); n != want {
			t.Errorf("%s: %d fetches, want %d", what, n, want)
		}
	}
	for _, later := range []time.Duration{0, time.Minute, 59 * time.Minute} {
		accepted(t, verifier, at(push, later))
	}
	fetches("within the hour", 1)
	accepted(t, verifier, at(push, time.Hour))
	fetches("after the hour", 2)

	site.down.Store(true)
	accepted(t, verifier, at(push, 3*time.Hour))
	accepted(t, verifier, at(push, 3*time.Hour+14*time.Second))
	fetches("in an outage", 3)
	accepted(t, verifier, at(push, 3*time.Hour+16*time.Second))
	fetches("in an outage, later", 4)
	unreachable(t, verifier, at(push, 26*time.Hour))
	site.down.Store(false)
	unreachable(t, verifier, at(push, 26*time.Hour+time.Second))
	accepted(t, verifier, at(push, 26*time.Hour+16*time.Second))
	fetches("after the outage", 6)
}

func TestUnknownKeyIDIsLookedUpOnceAMinute(t *testing.T) {
	t.Parallel()
	first, second := newIssuer(t), newIssuer(t)
	second.key = jose.JSONWebKey{Key: second.key.(jose.JSONWebKey).Key, KeyID: "k2"}
	site := newSite(t, map[string]string{googleAddress: first.jwks})
	verifier := pubSub(t, site.fetcher)
	accepted(t, verifier, bearerPost(first.token(t, googleClaims())))
	rotated := bearerPost(second.token(t, googleClaims()))
	for range 5 {
		refused(t, verifier, rotated, verify.SignatureMismatch)
	}
	refused(t, verifier, at(rotated, 2*time.Minute), verify.SignatureMismatch)
	refused(t, verifier, at(rotated, 2*time.Minute+30*time.Second), verify.SignatureMismatch)
	if n := site.requests.Load(); n != 2 {
		t.Errorf("%d fetches, want 2: a forged key id costs one a minute", n)
	}
	site.pages.Store(googleAddress, strings.ReplaceAll(second.jwks, `"k1"`, `"k2"`))
	accepted(t, verifier, at(rotated, 4*time.Minute))
}

func TestFetchIsBounded(t *testing.T) {
	t.Parallel()
	google := newIssuer(t)
	for name, page := range map[string]string{
		"too long":      google.jwks + strings.Repeat(" ", 300<<10),
		"not JSON":      "<html>",
		"no key":        `{"keys":[]}`,
		"symmetric key": `{"keys":[{"kty":"oct","kid":"k1","k":"AAAA"}]}`,
		"redirect":      "https://www.googleapis.com/elsewhere",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site := newSite(t, map[string]string{googleAddress: page, "www.googleapis.com/elsewhere": google.jwks})
			unreachable(t, pubSub(t, site.fetcher), bearerPost(google.token(t, googleClaims())))
		})
	}
	t.Run("offline", func(t *testing.T) {
		t.Parallel()
		unreachable(t, pubSub(t, nil), bearerPost(google.token(t, googleClaims())))
	})
}

// TestFetchRateIsBounded: forged requests that name ever new addresses of the
// right host cannot make the receiver fetch without end.
func TestFetchRateIsBounded(t *testing.T) {
	t.Parallel()
	site := newSite(t, nil)
	verifier := endpoint{
		provider: "paypal", options: map[string]string{"webhookID": "h"}, fetcher: site.fetcher,
	}.compile(t)
	for i := range 500 {
		unreachable(t, verifier, post("{}", "Paypal-Transmission-Id", "t", "Paypal-Transmission-Time",
			specialNow.Format(time.RFC3339), "Paypal-Cert-Url",
			"https://api.paypal.com/v1/notifications/certs/CERT-"+strconv.Itoa(i), "Paypal-Auth-Algo", "SHA256withRSA",
			"Paypal-Transmission-Sig", "AAAA"))
	}
	if n := site.requests.Load(); n < 1 || n > 60 {
		t.Errorf("%d fetches for 500 forged requests, want a bounded number", n)
	}
}

func TestOneFlightForManyRequests(t *testing.T) {
	t.Parallel()
	google := newIssuer(t)
	site := newSite(t, map[string]string{googleAddress: google.jwks})
	verifier := pubSub(t, site.fetcher)
	token := google.token(t, googleClaims())
	var requests sync.WaitGroup
	for range 20 {
		requests.Go(func() {
			if _, err := verifier.Verify(t.Context(), bearerPost(token)); err != nil {
				t.Errorf("refused: %v", err)
			}
		})
	}
	requests.Wait()
	if n := site.requests.Load(); n != 1 {
		t.Errorf("%d fetches, want one", n)
	}
}

// TestIssuersObeyTheDenyList: whoever writes an endpoint chooses the issuer, but
// not to which addresses the receiver connects.
func TestIssuersObeyTheDenyList(t *testing.T) {
	t.Parallel()
	var dialled []string
	fetcher := verify.NewFetcher(verify.NewTransport(func(_, address string, _ syscall.RawConn) error {
		dialled = append(dialled, address)
		return errors.New("denied")
	}))
	t.Cleanup(fetcher.Close)
	verifier := endpoint{provider: "oidc", options: map[string]string{
		"issuer": "https://127.0.0.1:1/x", "audience": "a", "claims": "true",
	}, fetcher: fetcher}.compile(t)
	_, err := verifier.Verify(t.Context(), bearerPost(newIssuer(t).token(t, googleClaims())))
	if err == nil || !strings.Contains(err.Error(), "denied") || len(dialled) != 1 || dialled[0] != "127.0.0.1:1" {
		t.Errorf("got %v after dialling %v, want a denied connection", err, dialled)
	}
}

// TestFetchesUseNoProxy: a proxy would resolve an issuer's name, so that only the
// proxy's own address could be judged.
func TestFetchesUseNoProxy(t *testing.T) {
	t.Parallel()
	if verify.NewTransport(nil).Proxy != nil {
		t.Error("published keys are fetched through the proxy of the environment")
	}
}

// TestDiscoveryIsOfTheIssuer: the metadata must name the issuer that was asked,
// and a place for keys that only https reaches.
func TestDiscoveryIsOfTheIssuer(t *testing.T) {
	t.Parallel()
	own := newIssuer(t)
	const name = "https://issuer.example.com"
	for what, metadata := range map[string]map[string]string{
		"another issuer": {"issuer": "https://evil.example", "jwks_uri": "https://keys.example.com/jwks"},
		"plain http":     {"issuer": name, "jwks_uri": "http://keys.example.com/jwks"},
		"no keys":        {"issuer": name},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			document, err := json.Marshal(metadata)
			if err != nil {
				t.Fatal(err)
			}
			site := newSite(t, map[string]string{
				"issuer.example.com/.well-known/openid-configuration": string(document), "keys.example.com/jwks": own.jwks,
			})
			verifier := endpoint{provider: "oidc", options: map[string]string{
				"issuer": name, "audience": "a", "claims": "true",
			}, fetcher: site.fetcher}.compile(t)
			claims := map[string]any{"iss": name, "aud": "a", "exp": specialNow.Add(time.Minute).Unix()}
			unreachable(t, verifier, bearerPost(own.token(t, claims)))
		})
	}
}
