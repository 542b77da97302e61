package verify_test

import (
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/verify"
)

// handshake verifies a request without proof for one provider with key "secret".
func handshake(
	t *testing.T, provider string, options map[string]string, request *verify.Request,
) (*verify.Response, error) {
	t.Helper()
	v, err := verify.Compile(verify.Config{
		Source: route.Source{Provider: provider, Options: options},
		Keys:   []route.Key{{Name: "secret", Value: []byte("secret")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if request.Header == nil {
		request.Header = http.Header{}
	}
	request.Now = signedAt
	verdict, err := v.Verify(t.Context(), request)
	return verdict.Handshake, err
}

func TestHandshakesWithoutProof(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		provider string
		options  map[string]string
		request  verify.Request
		status   int
		body     string
		header   map[string]string
	}{
		"meta": {
			"meta", map[string]string{"verifyToken": "vt"},
			verify.Request{Method: "GET", RawQuery: "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=vt"},
			200, "1158201444", map[string]string{"Content-Type": "text/plain; charset=utf-8"},
		},
		"meta by the Secret": {
			"whatsapp", nil,
			verify.Request{Method: "GET", RawQuery: "hub.mode=subscribe&hub.challenge=1&hub.verify_token=secret"}, 200, "1", nil,
		},
		"x": {
			"twitter", nil, verify.Request{Method: "GET", RawQuery: "crc_token=foo"}, 200,
			`{"response_token":"sha256=dzukRpPHVT1u4g9h6l0nV6mk9KRNKEGuTpW1LkzWLbQ="}`, nil,
		},
		"linkedin": {
			"linkedin", nil, verify.Request{Method: "GET", RawQuery: "challengeCode=foo"}, 200,
			`{"challengeCode":"foo","challengeResponse":"773ba44693c7553d6ee20f61ea5d2757a9a4f4a44d2841ae4e95b52e4cd62db4"}`, nil,
		},
		"dropbox": {"dropbox", nil, verify.Request{Method: "GET", RawQuery: "challenge=ab%3Cb%3E"}, 200, "ab<b>",
			map[string]string{"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}},
		"nylas": {"nylas", nil, verify.Request{Method: "GET", RawQuery: "challenge=abc"}, 200, "abc", nil},
		"okta": {"okta", nil, verify.Request{Method: "GET",
			Header: http.Header{"X-Okta-Verification-Challenge": {"abc"}}}, 200, `{"verification":"abc"}`, nil},
		"worldline": {"worldline", nil, verify.Request{Method: "GET",
			Header: http.Header{"X-Gcs-Webhooks-Endpoint-Verification": {"abc"}}}, 200, "abc", nil},
		"microsoft-graph": {"microsoft-graph", nil,
			verify.Request{Method: "POST", RawQuery: "validationToken=Validation%3A+Testing+client"}, 200,
			"Validation: Testing client", map[string]string{"Content-Type": "text/plain; charset=utf-8"}},
		"trello": {
			"trello", map[string]string{"url": "https://h.example/p"}, verify.Request{Method: "HEAD"}, 200, "",
			nil,
		},
		"cloudevents": {"cloudevents", nil, verify.Request{Method: "OPTIONS",
			Header: http.Header{"Webhook-Request-Origin": {"sender.example"}, "Webhook-Request-Rate": {"120"}}}, 200, "",
			map[string]string{"Webhook-Allowed-Origin": "sender.example", "Webhook-Allowed-Rate": "120", "Allow": "POST"}},
		"mailchimp": {"mailchimp", nil, verify.Request{Method: "GET", RawQuery: "secret=secret"}, 200, "", nil},
		"asana": {"asana", map[string]string{"awaitHandshake": "true"}, verify.Request{Method: "POST",
			Header: http.Header{"X-Hook-Secret": {"offered"}}}, 200, "", map[string]string{"X-Hook-Secret": "offered"}},
		"asana, known": {"asana", nil, verify.Request{Method: "POST",
			Header: http.Header{"X-Hook-Secret": {"secret"}}}, 200, "", map[string]string{"X-Hook-Secret": "secret"}},
		"notion": {"notion", map[string]string{"awaitHandshake": "true"}, verify.Request{Method: "POST",
			Body: []byte(`{"verification_token":"offered"}`)}, 200, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			response, err := handshake(t, c.provider, c.options, &c.request)
			if err != nil || response == nil {
				t.Fatalf("got %v, %v; want a handshake", response, err)
			}
			if response.Status != c.status || string(response.Body) != c.body {
				t.Errorf("answer %d %s, want %d %s", response.Status, response.Body, c.status, c.body)
			}
			for name, want := range c.header {
				if got := response.Header.Get(name); got != want {
					t.Errorf("header %s is %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestHandshakesThatAreRefused(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 5000)
	for name, c := range map[string]struct {
		provider string
		request  verify.Request
	}{
		"meta, wrong token": {
			"meta",
			verify.Request{Method: "GET", RawQuery: "hub.mode=subscribe&hub.challenge=1&hub.verify_token=no"},
		},
		"meta, no token": {
			"meta", verify.Request{Method: "GET", RawQuery: "hub.mode=subscribe&hub.challenge=1"},
		},
		"meta, token twice": {
			"meta",
			verify.Request{Method: "GET", RawQuery: "hub.mode=subscribe&hub.challenge=1&hub.verify_token=secret&hub.verify_token=secret"},
		},
		"x, event as token": {
			"x", verify.Request{Method: "GET", RawQuery: "crc_token=%7B%22for_user_id%22%3A1%7D"},
		},
		"x, no token": {"x", verify.Request{Method: "GET"}},
		"linkedin, as event": {
			"linkedin", verify.Request{Method: "GET", RawQuery: "challengeCode=hmacsha256%3Dabc"},
		},
		"dropbox, too long": {"dropbox", verify.Request{Method: "GET", RawQuery: "challenge=" + long}},
		"dropbox, by POST":  {"dropbox", verify.Request{Method: "POST", RawQuery: "challenge=abc"}},
		"okta, no challenge": {
			"okta", verify.Request{Method: "GET", Header: http.Header{"Authorization": {"secret"}}},
		},
		"graph, empty":     {"microsoft-graph", verify.Request{Method: "POST", RawQuery: "validationToken="}},
		"mailchimp, wrong": {"mailchimp", verify.Request{Method: "GET", RawQuery: "secret=wrong"}},
		"asana, not awaited": {
			"asana", verify.Request{Method: "POST", Header: http.Header{"X-Hook-Secret": {"offered"}}},
		},
		"notion, not awaited": {
			"notion", verify.Request{Method: "POST", Body: []byte(`{"verification_token":"offered"}`)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if response, err := handshake(t, c.provider, nil, &c.request); err == nil {
				t.Errorf("answered %+v", response)
			} else {
				reasonOf(t, err)
			}
		})
	}
}

// TestChallengesSignNoEvents proves that the answers to X's challenge cannot
// be turned into a signed event.
func TestChallengesSignNoEvents(t *testing.T) {
	t.Parallel()
	response, err := handshake(t, "x", nil, &verify.Request{Method: "GET", RawQuery: "crc_token=event"})
	if err != nil {
		t.Fatal(err)
	}
	var answer map[string]string
	if err := json.Unmarshal(response.Body, &answer); err != nil {
		t.Fatal(err)
	}
	_, err = handshake(t, "x", nil, &verify.Request{
		Method: "POST", Body: []byte("event"),
		Header: http.Header{"X-Twitter-Webhooks-Signature": {answer["response_token"]}},
	})
	if err == nil || reasonOf(t, err) != verify.SignatureMismatch {
		t.Errorf("got %v, want %s", err, verify.SignatureMismatch)
	}
}

func TestHandshakesWithProof(t *testing.T) {
	t.Parallel()
	seed := strings.Repeat("ab", 32)
	seedBytes, _ := hex.DecodeString(seed)
	public := hex.EncodeToString(ed25519.NewKeyFromSeed(seedBytes).Public().(ed25519.PublicKey))
	for name, c := range map[string]struct {
		provider, signWith, verifyWith, body string
		header                               http.Header
		status                               int
		want                                 string
	}{
		"slack": {"slack", "k", "k", `{"challenge":"abc","type":"url_verification"}`, nil, 200, "abc"},
		"zoom": {"zoom", "secret", "secret", `{"event":"endpoint.url_validation","payload":{"plainToken":"foo"}}`, nil, 200,
			`{"plainToken":"foo","encryptedToken":"773ba44693c7553d6ee20f61ea5d2757a9a4f4a44d2841ae4e95b52e4cd62db4"}`},
		"twitch": {"twitch", "k", "k", `{"challenge":"abc"}`,
			http.Header{"Twitch-Eventsub-Message-Type": {"webhook_callback_verification"}}, 200, "abc"},
		"discord interaction": {
			"discord", seed, public, `{"type":1,"token":"a","version":1}`, nil, 200, `{"type":1}`,
		},
		"discord event": {"discord", seed, public, `{"version":1,"application_id":"1","type":0}`, nil, 204, ""},
		"xero":          {"xero", "k", "k", `{"events":[],"firstEventSequence":0,"entropy":"x"}`, nil, 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			preset, _ := verify.Lookup(c.provider)
			scheme, ok := preset.SchemeFor([]byte(c.signWith), nil)
			if !ok {
				t.Fatal("no scheme")
			}
			request := signed(t, scheme, c.signWith, verify.Draft{Header: c.header, Body: []byte(c.body), ID: "id"})
			v := compile(t, c.provider, 0, c.verifyWith)
			verdict, err := v.Verify(t.Context(), request)
			if err != nil || verdict.Handshake == nil {
				t.Fatalf("got %+v, %v; want a handshake", verdict, err)
			}
			if got := verdict.Handshake; got.Status != c.status || string(got.Body) != c.want {
				t.Errorf("answer %d %s, want %d %s", got.Status, got.Body, c.status, c.want)
			}
			request.Body = []byte(strings.Replace(c.body, "{", "{ ", 1))
			if verdict, err := v.Verify(t.Context(), request); err == nil {
				t.Errorf("forged handshake is answered: %+v", verdict)
			}
		})
	}
}

func TestTrustOnFirstUseNeedsNoKeyYetAndShowsNone(t *testing.T) {
	t.Parallel()
	for _, provider := range []string{"asana", "notion"} {
		source := route.Source{Provider: provider, Options: map[string]string{"awaitHandshake": "true"}}
		v, err := verify.Compile(verify.Config{Source: source})
		if err != nil {
			t.Fatal(err)
		}
		_, err = v.Verify(t.Context(), &verify.Request{Method: "POST", Header: http.Header{}, Body: []byte("{}"),
			Now: signedAt})
		if err == nil || reasonOf(t, err) != verify.SignatureMissing {
			t.Errorf("%s without a key: got %v, want %s", provider, err, verify.SignatureMissing)
		}
	}
	request := verify.Request{Method: "POST", Header: http.Header{"X-Hook-Secret": {"offered"}}}
	response, err := handshake(t, "asana", map[string]string{"awaitHandshake": "true"}, &request)
	if err != nil || string(response.Offered) != "offered" {
		t.Fatalf("got %+v, %v; want the offered key", response, err)
	}
	if text := response.Offered.String(); strings.Contains(text, "offered") {
		t.Errorf("the key prints as %s", text)
	}
}
