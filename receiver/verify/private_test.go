package verify_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
)

// keyPair is what a provider signs with, and the options with which an endpoint
// verifies.
type keyPair struct {
	private string
	options map[string]string
}

// keyPairOf makes the keys of a preset of private.
func keyPairOf(t *testing.T, name string) keyPair {
	t.Helper()
	switch name {
	case "discord":
		private, public := ed25519Pair()
		return keyPair{hex.EncodeToString(private), map[string]string{"publicKey": hex.EncodeToString(public)}}
	case "telnyx":
		private, public := ed25519Pair()
		encoded := base64.StdEncoding.EncodeToString
		return keyPair{encoded(private), map[string]string{"publicKey": encoded(public)}}
	case "sendgrid":
		private, public := ecdsaPair(t)
		return keyPair{private, map[string]string{"publicKey": public}}
	case "plaid":
		private, public := ecdsaPair(t)
		return keyPair{private, map[string]string{"jwks": public}}
	case "braintree":
		return keyPair{"private", map[string]string{"publicKey": "p"}}
	}
	private, public := rsaPair(t)
	options := map[string]string{"publicKey": public}
	switch name {
	case "paypal":
		options["webhookID"] = "w-1"
	case "google-pubsub":
		options["audience"], options["email"] = "https://hooks.example.com", "p@example.com"
	case "oidc":
		options["issuer"], options["audience"] = "https://issuer.example.com", "https://hooks.example.com"
		options["claims"] = `claims.sub == "postern-send"`
		options["jwks"] = public
		delete(options, "publicKey")
	}
	return keyPair{private, options}
}

func ed25519Pair() (seed []byte, public ed25519.PublicKey) {
	seed = []byte(strings.Repeat("s", ed25519.SeedSize))
	public, _ = ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	return seed, public
}

func ecdsaPair(t *testing.T) (private, public string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return privatePEM(t, key), publicPEM(t, &key.PublicKey)
}

func rsaPair(t *testing.T) (private, public string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return privatePEM(t, key), publicPEM(t, &key.PublicKey)
}
