package verify_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"net/http"
	"strings"
	"testing"

	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/verify"
	"github.com/postern-dev/postern/receiver/verify/sign"
)

// kilobyte is a body of 1 KiB.
var kilobyte = bytes.Repeat([]byte("0123456789abcdef"), 64)

// benchmarked builds a verifier and a request of 1 KiB that it accepts.
func benchmarked(tb testing.TB, scheme route.Scheme, sign, secret string) (verify.Verifier, *verify.Request) {
	tb.Helper()
	header, err := verify.Sign(&scheme, []byte(sign), &verify.Draft{
		Method: http.MethodPost, Body: kilobyte, Now: signedAt, ID: "msg_1", URL: "https://h.example/p",
	})
	if err != nil {
		tb.Fatal(err)
	}
	v, err := verify.Compile(verify.Config{
		Source: route.Source{Scheme: &scheme}, URL: "https://h.example/p",
		Keys: []route.Key{{Name: "secret", Value: []byte(secret)}},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return v, &verify.Request{Method: http.MethodPost, Header: header, Body: kilobyte, Now: signedAt}
}

// hmacClasses are the shapes of HMAC schemes.
func hmacClasses() map[string]route.Scheme {
	stripe, _ := verify.Lookup("stripe")
	slack, _ := verify.Lookup("slack")
	github, _ := verify.Lookup("github")
	standard, _ := verify.Lookup("standard-webhooks")
	square, _ := verify.Lookup("square")
	return map[string]route.Scheme{
		"body": github.Variants[0].Scheme, "list": stripe.Variants[0].Scheme, "timestamp": slack.Variants[0].Scheme,
		"standard": standard.Variants[0].Scheme, "url": square.Variants[0].Scheme,
	}
}

// raceEnabled is true in builds with the race detector.
var raceEnabled bool

func TestHMACAllocatesTheKeyAlone(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector drops pooled memory at random")
	}
	for name, scheme := range hmacClasses() {
		secret := strings.Repeat("1", 32)
		v, request := benchmarked(t, scheme, secret, secret)
		ctx := context.Background()
		allocations := testing.AllocsPerRun(200, func() {
			if _, err := v.Verify(ctx, request); err != nil {
				t.Fatal(err)
			}
		})
		// The key that tells the event apart is handed out and outlives the judgement.
		if allocations > 1 {
			t.Errorf("%s: %v allocations for a request, want one at most", name, allocations)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	for name, scheme := range hmacClasses() {
		secret := strings.Repeat("1", 32)
		v, request := benchmarked(b, scheme, secret, secret)
		b.Run("hmac/"+name, func(b *testing.B) { judgeRepeatedly(b, v, request) })
	}
	for _, c := range specialClasses(b) {
		b.Run(c.name, func(b *testing.B) {
			event := sign.Event{
				Provider: c.provider, Secret: []byte(c.signWith), Options: c.options, URL: "https://h.example/p",
				Now: specialNow, Body: c.body,
			}
			r, err := sign.Build(event)
			if err != nil {
				b.Fatal(err)
			}
			e := endpoint{provider: c.provider, url: event.URL, options: map[string]string{}}
			if c.pinned == "" {
				e.keys = []string{c.signWith}
			} else {
				e.options[c.pinned] = c.public
			}
			for option, value := range c.options {
				e.options[option] = value
			}
			v, err := e.tryCompile()
			if err != nil {
				b.Fatal(err)
			}
			judgeRepeatedly(b, v, &verify.Request{
				Method: r.Method, RawQuery: r.RawQuery, Header: r.Header, Body: r.Body, Now: specialNow,
			})
		})
	}
}

func judgeRepeatedly(b *testing.B, v verify.Verifier, request *verify.Request) {
	b.Helper()
	b.SetBytes(int64(len(request.Body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Verify(b.Context(), request); err != nil {
			b.Fatal(err)
		}
	}
}

// special is a class of schemes besides the HMAC of the engine.
type special struct {
	name, provider, signWith string
	// public is the public half, which the endpoint has in the option pinned.
	pinned, public string
	options        map[string]string
	// body is a kilobyte, but for schemes whose body has a form of its own.
	body []byte
}

func specialClasses(b *testing.B) []special {
	b.Helper()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	rsaPrivate, rsaPublic := privatePEM(b, rsaKey), publicPEM(b, &rsaKey.PublicKey)
	ecPrivate, ecPublic := privatePEM(b, ecKey), publicPEM(b, &ecKey.PublicKey)
	seed := make([]byte, ed25519.SeedSize)
	edPublic := hex.EncodeToString(ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey))
	form := []byte("Body=" + strings.Repeat("x", 1000) + "&From=%2B1&To=%2B2")
	secret := strings.Repeat("1", 32)
	audience := map[string]string{"audience": "https://h.example", "email": "e@h.example"}
	return []special{
		{name: "url and form", provider: "twilio", signWith: secret, body: form},
		{name: "canonical request", provider: "contentful", signWith: secret, body: kilobyte},
		{name: "ed25519", provider: "discord", signWith: hex.EncodeToString(seed), pinned: "publicKey", public: edPublic,
			body: kilobyte},
		{name: "ecdsa", provider: "sendgrid", signWith: ecPrivate, pinned: "publicKey", public: ecPublic, body: kilobyte},
		{name: "rsa", provider: "paypal", signWith: rsaPrivate, pinned: "publicKey", public: rsaPublic, body: kilobyte,
			options: map[string]string{"webhookID": "w"}},
		{name: "rsa over fields", provider: "aws-sns", signWith: rsaPrivate, pinned: "publicKey", public: rsaPublic},
		{name: "jwt rs256", provider: "google-pubsub", signWith: rsaPrivate, pinned: "publicKey", public: rsaPublic,
			options: audience, body: kilobyte},
		{name: "jwt es256 with digest", provider: "plaid", signWith: ecPrivate, pinned: "jwks", public: ecPublic,
			body: kilobyte},
		{name: "jwt hs256 with digest", provider: "netlify", signWith: secret, body: kilobyte},
		{name: "static header", provider: "telegram", signWith: secret, body: kilobyte},
		{name: "static basic", provider: "postmark", signWith: "user:" + secret, body: kilobyte},
		{name: "static query", provider: "docker-hub", signWith: secret, body: kilobyte},
		{name: "static body field", provider: "figma", signWith: secret},
	}
}

func privatePEM(tb testing.TB, private any) string {
	tb.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		tb.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}
