package verify_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"github.com/postern-dev/postern/receiver/verify"
)

// TestSpecialSchemesSayWhatIsWrong: every mistake in keys and options is told
// when the endpoint is written, by the name of its field and without a value.
func TestSpecialSchemesSayWhatIsWrong(t *testing.T) {
	t.Parallel()
	const secret = "TOPSECRET"
	rsaPublic := newSigner(t, "sns.amazonaws.com").public
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ecPublic := publicPEM(t, &ecKey.PublicKey)
	jwks := newIssuer(t).jwks
	options := func(pairs ...string) map[string]string {
		m := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
		return m
	}
	const notPEM = "-----BEGIN PUBLIC KEY-----\nVE9QU0VDUkVU\n-----END PUBLIC KEY-----"
	for name, c := range map[string]struct {
		endpoint endpoint
		want     string
	}{
		"twilio without a URL":        {endpoint{provider: "twilio", keys: []string{secret}}, "source.options.url"},
		"mandrill without a URL":      {endpoint{provider: "mandrill", keys: []string{secret}}, "source.options.url"},
		"contentful without a URL":    {endpoint{provider: "contentful", keys: []string{secret}}, "source.options.url"},
		"plivo without a URL":         {endpoint{provider: "plivo", keys: []string{secret}}, "source.options.url"},
		"a URL without a host":        {endpoint{provider: "twilio", keys: []string{secret}, url: "/p"}, "absolute URL"},
		"braintree without publicKey": {endpoint{provider: "braintree", keys: []string{secret}}, "source.options.publicKey"},
		"braintree without a key": {endpoint{provider: "braintree", options: options("publicKey", "p")},
			"needs a Secret"},
		"paypal without webhookID": {endpoint{provider: "paypal"}, "source.options.webhookID"},
		"sendgrid without a key":   {endpoint{provider: "sendgrid"}, "source.options.publicKey"},
		"sendgrid with text": {endpoint{provider: "sendgrid", keys: []string{secret + "!"}},
			"not an ECDSA public key in PEM or base64"},
		"sendgrid with base64":     {endpoint{provider: "sendgrid", keys: []string{"VE9QU0VDUkVU"}}, "not an ECDSA public key"},
		"sendgrid with an RSA key": {endpoint{provider: "sendgrid", keys: []string{rsaPublic}}, "not an ECDSA public key"},
		"sns with an ECDSA key":    {endpoint{provider: "aws-sns", keys: []string{ecPublic}}, "not an RSA public key"},
		"sns with a broken PEM": {endpoint{provider: "aws-sns", options: options("certificate", notPEM)},
			"not an RSA public key"},
		"sns with a broken certificate": {endpoint{provider: "aws-sns", options: options("certificate",
			strings.ReplaceAll(notPEM, "PUBLIC KEY", "CERTIFICATE"))}, "not an RSA public key"},
		"travis with text":  {endpoint{provider: "travis", options: options("publicKey", secret+"!")}, "not an RSA public key"},
		"discord with text": {endpoint{provider: "discord", options: options("publicKey", secret)}, "hexadecimal"},
		"discord with a short key": {endpoint{provider: "discord", options: options("publicKey", "abcd")},
			"source.options.publicKey: is not an Ed25519 public key"},
		"discord without a key":   {endpoint{provider: "discord"}, "source.options.publicKey"},
		"pubsub without audience": {endpoint{provider: "google-pubsub"}, "source.options.audience"},
		"pubsub with a text": {endpoint{provider: "google-pubsub", options: options("audience", "a", "email", "e", "jwks", secret)},
			"not a JSON Web Key"},
		"pubsub without email": {endpoint{provider: "google-pubsub", options: options("audience", "a")}, "source.options.email"},
		"event grid without application": {endpoint{provider: "azure-event-grid", options: options(
			"audience", "a", "tenantID", "t")}, "source.options.applicationID"},
		"plaid without keys":      {endpoint{provider: "plaid"}, "source.options.jwks"},
		"event grid with nothing": {endpoint{provider: "azure-event-grid"}, "source.options.audience"},
		"event grid without a tenant": {endpoint{provider: "azure-event-grid", options: options("audience", "a")},
			"source.options.tenantID"},
		"event grid with a path for a tenant": {endpoint{
			provider: "azure-event-grid", options: options("audience", "a", "tenantID", "../evil")}, "not a tenant id"},
		"oidc with plain http": {endpoint{provider: "oidc", options: options(
			"issuer", "http://i.example", "audience", "a", "claims", "true", "jwks", jwks)}, "https URL"},
		"oidc without a rule": {endpoint{provider: "oidc", options: options(
			"issuer", "https://i.example", "audience", "a", "jwks", jwks)}, "source.options.claims"},
		"oidc with a rule of text": {endpoint{provider: "oidc", options: options(
			"issuer", "https://i.example", "audience", "a", "claims", `"x"`, "jwks", jwks)}, "must give a bool"},
		"monday without a key":  {endpoint{provider: "monday"}, "needs a Secret"},
		"netlify with an empty": {endpoint{provider: "netlify", keys: []string{"\n"}}, "empty"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := c.endpoint.tryCompile()
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want an error that says %q", err, c.want)
			}
			if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "VE9Q") {
				t.Errorf("%v shows the key", err)
			}
		})
	}
}

// TestBadKeysAreKeyErrors: what is wrong with the Secret's value is told apart
// from what is wrong with the endpoint.
func TestBadKeysAreKeyErrors(t *testing.T) {
	t.Parallel()
	for provider, text := range map[string]string{
		"sendgrid": "VE9QU0VDUkVU", "aws-sns": "TOPSECRET!", "travis": "TOPSECRET!", "adyen-payments": "TOPSECRET",
	} {
		_, err := endpoint{provider: provider, keys: []string{text}}.tryCompile()
		var bad *verify.KeyError
		if !errors.As(err, &bad) {
			t.Errorf("%s: got %v, want a KeyError", provider, err)
		}
	}
}
