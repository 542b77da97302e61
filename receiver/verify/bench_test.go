package verify_test

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/verify"
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

func TestHMACAllocatesNothing(t *testing.T) {
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
		if allocations != 0 {
			t.Errorf("%s: %v allocations for a request, want none", name, allocations)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	classes := hmacClasses()
	classes["token"] = route.Scheme{
		Algorithm: route.AlgorithmToken, Signature: route.Signature{Headers: []string{"X-Token"}},
	}
	for name, scheme := range classes {
		secret := strings.Repeat("1", 32)
		v, request := benchmarked(b, scheme, secret, secret)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(kilobyte)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Verify(b.Context(), request); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
