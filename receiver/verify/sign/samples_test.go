package sign_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"slices"
	"strings"
	"testing"

	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/verify"
	"github.com/postern-dev/postern/receiver/verify/sign"
)

// pair is what a provider signs with, and what an endpoint of it is given.
type pair struct {
	provider string
	signWith string
	keys     []string
	// options go to both sides.
	options map[string]string
	// pinned is the option that holds the public half.
	pinned, public string
}

func shared(provider, secret string) pair {
	return pair{provider: provider, signWith: secret, keys: []string{secret}}
}

// pairs are the providers with samples, each with keys of the form it uses.
func pairs(t *testing.T) []pair {
	t.Helper()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaPrivate, rsaPublic := pemPair(t, rsaKey, &rsaKey.PublicKey)
	ecPrivate, ecPublic := pemPair(t, ecKey, &ecKey.PublicKey)
	seed := strings.Repeat("ab", ed25519.SeedSize)
	raw, _ := hex.DecodeString(seed)
	discord := hex.EncodeToString(ed25519.NewKeyFromSeed(raw).Public().(ed25519.PublicKey))
	telnyxSeed := base64.StdEncoding.EncodeToString(raw)
	telnyx := base64.StdEncoding.EncodeToString(ed25519.NewKeyFromSeed(raw).Public().(ed25519.PublicKey))
	audience := map[string]string{"audience": "https://hooks.example.com", "email": "p@example.com"}
	special := []pair{
		{provider: "discord", signWith: seed, pinned: "publicKey", public: discord},
		{provider: "telnyx", signWith: telnyxSeed, pinned: "publicKey", public: telnyx},
		{provider: "sendgrid", signWith: ecPrivate, pinned: "publicKey", public: ecPublic},
		{provider: "plaid", signWith: ecPrivate, pinned: "jwks", public: ecPublic},
		{provider: "travis", signWith: rsaPrivate, pinned: "publicKey", public: rsaPublic},
		{provider: "aws-sns", signWith: rsaPrivate, pinned: "publicKey", public: rsaPublic},
		{provider: "google-pubsub", signWith: rsaPrivate, pinned: "publicKey", public: rsaPublic, options: audience},
		{
			provider: "paypal", signWith: rsaPrivate, pinned: "publicKey", public: rsaPublic,
			options: map[string]string{"webhookID": "w-1"},
		},
		{provider: "braintree", signWith: "private", keys: []string{"private"}, options: map[string]string{"publicKey": "p"}},
		{provider: "azure-event-grid", signWith: "s", keys: []string{"s"}},
	}
	const secret = "4142434445464748494a4b4c4d4e4f50"
	for _, p := range verify.Presets() {
		named := slices.ContainsFunc(special, func(s pair) bool { return s.provider == p.Name })
		if len(sign.Samples(p.Name)) > 0 && !named {
			special = append(special, shared(p.Name, secret))
		}
	}
	return special
}

func pemPair(t *testing.T, private, public any) (privatePEM, publicPEM string) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}))
}

func (p pair) build(t *testing.T, eventType string, body []byte) *sign.Request {
	t.Helper()
	r, err := sign.Build(sign.Event{
		Provider: p.provider, Secret: []byte(p.signWith), Options: p.options, Type: eventType, ID: "delivery-1",
		URL: url, Now: now, Body: body,
	})
	if err != nil {
		t.Fatalf("%s %s: %v", p.provider, eventType, err)
	}
	return r
}

// judge verifies a built request as the receiver would.
func judge(t *testing.T, p pair, r *sign.Request) (verify.Verdict, error) {
	t.Helper()
	source := route.Source{Provider: p.provider, Options: map[string]string{}}
	for name, value := range p.options {
		source.Options[name] = value
	}
	if p.pinned != "" {
		source.Options[p.pinned] = p.public
	}
	config := verify.Config{Source: source, URL: url}
	for _, k := range p.keys {
		config.Keys = append(config.Keys, route.Key{Name: "secret", Value: []byte(k)})
	}
	v, err := verify.Compile(config)
	if err != nil {
		t.Fatalf("compile %s: %v", p.provider, err)
	}
	return v.Verify(t.Context(), &verify.Request{
		Method: r.Method, RawQuery: r.RawQuery, Header: r.Header, Body: r.Body, Now: now,
	})
}

// handshakes are samples that make no event.
var handshakes = map[string]bool{"slack url_verification": true, "zoom endpoint.url_validation": true}

func TestEverySampleIsAcceptedAsItsType(t *testing.T) {
	t.Parallel()
	providers := 0
	for _, p := range pairs(t) {
		preset, _ := verify.Lookup(p.provider)
		types := sign.Samples(p.provider)
		if len(types) > 0 {
			providers++
		}
		if d := sign.DefaultSample(p.provider); len(types) > 0 && !slices.Contains(types, d) {
			t.Errorf("%s: the default %q is none of %v", p.provider, d, types)
		}
		for _, eventType := range types {
			verdict, err := judge(t, p, p.build(t, eventType, nil))
			switch {
			case err != nil:
				t.Errorf("%s %s: %v", p.provider, eventType, err)
			case handshakes[p.provider+" "+eventType] != (verdict.Handshake != nil):
				t.Errorf("%s %s: handshake %+v", p.provider, eventType, verdict.Handshake)
			case verdict.Handshake == nil && preset.EventType != "" && verdict.EventType != eventType:
				t.Errorf("%s: event type %q, want %q", p.provider, verdict.EventType, eventType)
			case verdict.Handshake == nil && preset.DeliveryID != "" && !strings.HasPrefix(verdict.DeliveryID, "delivery-1"):
				t.Errorf("%s %s: delivery id %q, want delivery-1", p.provider, eventType, verdict.DeliveryID)
			}
		}
	}
	if providers < 35 {
		t.Errorf("%d providers have samples, want at least 35", providers)
	}
}

// TestSpecialSignersAreRefusedWithAnotherKey: what they build depends on the
// key and on the body.
func TestSpecialSignersAreRefusedWithAnotherKey(t *testing.T) {
	t.Parallel()
	first, second := pairs(t), pairs(t)
	for i, p := range first {
		r := p.build(t, "", nil)
		if _, err := judge(t, p, r); err != nil {
			t.Errorf("%s: %v", p.provider, err)
		}
		other := second[i]
		if len(p.keys) > 0 {
			other.keys = []string{strings.Repeat("5", 32)}
		} else if p.provider == "discord" {
			other.public = strings.Repeat("11", 32)
		} else if p.provider == "telnyx" {
			other.public = base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0x11}, 32))
		}
		if verdict, err := judge(t, other, r); err == nil {
			t.Errorf("%s: accepted under another key: %+v", p.provider, verdict)
		}
	}
}

func TestTwilioSignsJSONByItsDigest(t *testing.T) {
	t.Parallel()
	p := shared("twilio", "token")
	r := p.build(t, "", []byte(`{"a": 1}`))
	if !strings.HasPrefix(r.RawQuery, "bodySHA256=") || string(r.Body) != `{"a": 1}` {
		t.Errorf("query %q and body %q, want a digest and the body", r.RawQuery, r.Body)
	}
	if _, err := judge(t, p, r); err != nil {
		t.Error(err)
	}
	form := p.build(t, "", []byte("b=2&a=1&a=0"))
	if _, err := judge(t, p, form); err != nil || string(form.Body) != "b=2&a=1&a=0" {
		t.Errorf("form %q: %v", form.Body, err)
	}
}

func TestSpecialSignersSayWhatIsMissing(t *testing.T) {
	t.Parallel()
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ecPrivate, _ := pemPair(t, ecKey, &ecKey.PublicKey)
	for want, event := range map[string]sign.Event{
		"option publicKey":       {Provider: "braintree", Secret: []byte("TOPSECRET")},
		"option webhookID":       {Provider: "paypal", Secret: []byte("TOPSECRET")},
		"must be a PEM private":  {Provider: "travis", Secret: []byte("TOPSECRET")},
		"private key must be RS": {Provider: "aws-sns", Secret: []byte(ecPrivate)},
		"does not parse": {Provider: "sendgrid", Secret: []byte(
			"-----BEGIN PRIVATE KEY-----\nVE9QU0VDUkVU\n-----END PRIVATE KEY-----\n")},
		"sends a form": {Provider: "mandrill", Secret: []byte("TOPSECRET"), Body: []byte("%zz")},
	} {
		_, err := sign.Build(event)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an error that says %q", event.Provider, err, want)
		} else if strings.Contains(err.Error(), "TOPSECRET") {
			t.Errorf("%v shows the key", err)
		}
	}
}
