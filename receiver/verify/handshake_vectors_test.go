package verify_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"testing"

	"github.com/postern-dev/postern/receiver/verify"
	"github.com/postern-dev/postern/receiver/verify/sign"
)

// exchange is a handshake's request and its answer, byte for byte.
type exchange struct {
	Provider, Case, Secret, Method, Query, URL string
	Options, Headers                           map[string]string
	Body                                       string
	// Sign is true for requests that are signed like events, Open for those that
	// are answered without a signature as well.
	Sign, Open    bool
	Status        int
	Answer        string
	ContentType   string
	AnswerHeaders map[string]string
}

func loadExchanges(t *testing.T) []exchange {
	t.Helper()
	data, err := os.ReadFile("testdata/handshakes.json")
	if err != nil {
		t.Fatal(err)
	}
	var exchanges []exchange
	if err := json.Unmarshal(data, &exchanges); err != nil {
		t.Fatal(err)
	}
	return exchanges
}

// endpoint is one that takes part in the exchange.
func (x exchange) endpoint(t *testing.T) endpoint {
	t.Helper()
	e := endpoint{provider: x.Provider, keys: []string{x.Secret}, url: x.URL, options: x.Options}
	if x.Provider == "discord" {
		seed, err := hex.DecodeString(x.Secret)
		if err != nil {
			t.Fatal(err)
		}
		public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
		e.keys, e.options = nil, map[string]string{"publicKey": hex.EncodeToString(public)}
	}
	return e
}

func (x exchange) request(t *testing.T) *verify.Request {
	t.Helper()
	request := request(x.Query, []byte(x.Body))
	request.Method = x.Method
	if x.Sign {
		built, err := sign.Build(sign.Event{
			Provider: x.Provider, Secret: []byte(x.Secret), Body: []byte(x.Body), Now: specialNow, ID: "1", URL: x.URL,
		})
		if err != nil {
			t.Fatal(err)
		}
		request.Header = built.Header
	}
	for name, value := range x.Headers {
		request.Header.Set(name, value)
	}
	return request
}

func TestEveryHandshakeIsAnsweredToTheByte(t *testing.T) {
	t.Parallel()
	covered := map[string]bool{"aws-sns": true} // whose confirmation fetches; see TestAmazonSNSConfirmation
	for _, x := range loadExchanges(t) {
		covered[x.Provider] = true
		t.Run(x.Provider+"/"+x.Case, func(t *testing.T) {
			t.Parallel()
			v := x.endpoint(t).compile(t)
			if p, _ := verify.Lookup(x.Provider); p.Handshake == "" {
				t.Error("the preset does not tell of a handshake")
			}
			response := accepted(t, v, x.request(t)).Handshake
			if response == nil {
				t.Fatal("an event, want a handshake")
			}
			if response.Status != x.Status || string(response.Body) != x.Answer {
				t.Errorf("answer %d %q, want %d %q", response.Status, response.Body, x.Status, x.Answer)
			}
			if got := response.Header.Get("Content-Type"); got != x.ContentType {
				t.Errorf("content type %q, want %q", got, x.ContentType)
			}
			if response.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Error("a browser may sniff the answer")
			}
			for name, want := range x.AnswerHeaders {
				if got := response.Header.Get(name); got != want {
					t.Errorf("header %s is %q, want %q", name, got, want)
				}
			}
		})
	}
	for _, p := range verify.Presets() {
		if p.Handshake != "" && !covered[p.Name] {
			t.Errorf("%s: no exchange in testdata/handshakes.json", p.Name)
		}
	}
}

// TestSignedHandshakesNeedTheirSignature: what is answered only after proof is
// not answered to a stranger, nor when a byte was changed.
func TestSignedHandshakesNeedTheirSignature(t *testing.T) {
	t.Parallel()
	signed := 0
	for _, x := range loadExchanges(t) {
		if !x.Sign || x.Open {
			continue
		}
		signed++
		v := x.endpoint(t).compile(t)
		stranger := x.request(t)
		stranger.Header = http.Header{}
		tampered := x.request(t)
		tampered.Body = append(bytes.Clone(tampered.Body), ' ')
		for name, r := range map[string]*verify.Request{"unsigned": stranger, "tampered": tampered} {
			if verdict, err := v.Verify(t.Context(), r); err == nil {
				t.Errorf("%s %s: %s: answered %+v", x.Provider, x.Case, name, verdict.Handshake)
			}
		}
	}
	if signed < 6 {
		t.Errorf("%d signed handshakes, want at least 6", signed)
	}
}

// TestChallengesAreNeeded: with its challenge taken away
// the request is refused or an event, never answered as a handshake.
func TestChallengesAreNeeded(t *testing.T) {
	t.Parallel()
	for _, x := range loadExchanges(t) {
		if x.Sign || x.Method == http.MethodHead || x.Provider == "mailchimp" {
			continue // signed bodies are another test; a HEAD is all there is
		}
		r := x.request(t)
		r.RawQuery, r.Body = "", nil
		r.Header = http.Header{}
		verdict, err := x.endpoint(t).compile(t).Verify(t.Context(), r)
		if err == nil {
			t.Errorf("%s %s: an empty request is answered %+v", x.Provider, x.Case, verdict)
		}
	}
}
