package verify_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/verify"
)

// unguessed is a key that no fuzzer finds.
const unguessed = "a long secret, not guessed by anybody"

// fuzzed compiles the endpoints whose requests a target makes up.
func fuzzed(f *testing.F, endpoints ...endpoint) []verify.Verifier {
	f.Helper()
	var verifiers []verify.Verifier
	for _, e := range endpoints {
		v, err := e.tryCompile()
		if err != nil {
			f.Fatalf("compile %s: %v", e.provider, err)
		}
		verifiers = append(verifiers, v)
	}
	return verifiers
}

// request makes one out of what a fuzzer chose.
func request(query string, body []byte, headers ...string) *verify.Request {
	r := &verify.Request{Method: http.MethodPost, RawQuery: query, Header: http.Header{}, Body: body, Now: specialNow}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

// FuzzForm feeds the schemes that sign form parameters.
func FuzzForm(f *testing.F) {
	const address = "https://h.example/p"
	verifiers := fuzzed(f,
		endpoint{provider: "twilio", keys: []string{unguessed}, url: address},
		endpoint{provider: "mandrill", keys: []string{unguessed}, url: address},
		endpoint{provider: "braintree", keys: []string{unguessed}, options: map[string]string{"publicKey": "public"}},
		endpoint{provider: "travis", options: map[string]string{"publicKey": newSigner(f, "travis").public}},
	)
	f.Add("foo=1&bar=2", formType, "RSOYDt4T1cUTdK1PDd93/VVr8B8=", []byte("a=1&a=2&%zz"))
	f.Add("bodySHA256=0a1f", "application/json", "AAAA", []byte("{}"))
	f.Add("bt_challenge=20f9f8ed05f77439fe955c977e4c8a53", formType, "",
		[]byte("bt_signature=public%7C00&bt_payload=PGE%2B"))
	f.Add(";&;", "text/plain; charset=\"", "\n", []byte("payload={}&payload=[]"))
	f.Fuzz(func(t *testing.T, query, contentType, signature string, body []byte) {
		for _, v := range verifiers {
			acceptsNothing(t, v, request(query, body, "Content-Type", contentType,
				"X-Twilio-Signature", signature, "X-Mandrill-Signature", signature, "Signature", signature))
		}
	})
}

// FuzzSignedURL configures arbitrary URLs for the schemes that sign them.
func FuzzSignedURL(f *testing.F) {
	f.Add("https://h.example:443/p?a=1", "b=2", "AAAA")
	f.Add("http://[::1]:80/%2f?x#y", "%3A;", "1")
	f.Add("https://h.example:99999/", "?", "")
	f.Fuzz(func(t *testing.T, address, query, signature string) {
		for _, provider := range []string{"twilio", "contentful", "plivo", "hubspot", "square"} {
			v, err := endpoint{provider: provider, keys: []string{unguessed}, url: address}.tryCompile()
			if err != nil {
				continue
			}
			p, _ := verify.Lookup(provider)
			r := request(query, []byte("a=1"))
			for _, name := range p.Headers {
				r.Header.Set(name, signature)
			}
			acceptsNothing(t, v, r)
		}
	})
}

// FuzzCanonicalRequest feeds the list of signed headers.
func FuzzCanonicalRequest(f *testing.F) {
	v := fuzzed(f, endpoint{provider: "contentful", keys: []string{unguessed}, url: "https://h.example/p"})[0]
	const signature = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
	f.Add(signature, "x-contentful-timestamp,x-topic", "1758600000000", "topic")
	f.Add(signature, ",,X-CONTENTFUL-TIMESTAMP, x-topic ,\x00", "-1", "\n:;")
	f.Add(strings.ToUpper(signature), "", "", "")
	f.Fuzz(func(t *testing.T, signature, signed, at, topic string) {
		acceptsNothing(t, v, request("", []byte("{}"), "X-Contentful-Signature", signature,
			"X-Contentful-Signed-Headers", signed, "X-Contentful-Timestamp", at, "X-Topic", topic))
	})
}

// FuzzCertificateMessage feeds the schemes whose messages name a certificate.
func FuzzCertificateMessage(f *testing.F) {
	certificate := newSigner(f, "sns.amazonaws.com").certificate
	verifiers := fuzzed(f,
		endpoint{provider: "aws-sns", options: map[string]string{"certificate": certificate}},
		endpoint{provider: "aws-sns"},
		endpoint{provider: "paypal", options: map[string]string{"certificate": certificate, "webhookID": "w"}},
		endpoint{provider: "paypal", options: map[string]string{"webhookID": "w"}},
	)
	for _, v := range loadVectors(f) {
		if v.Provider == "aws-sns" || v.Provider == "paypal" {
			f.Add(v.Headers["PAYPAL-CERT-URL"], v.Headers["PAYPAL-TRANSMISSION-SIG"], v.Headers["PAYPAL-TRANSMISSION-TIME"],
				v.Body)
		}
	}
	f.Add("https://api.paypal.com@evil.example/", "AA==", "now", []byte(`{"Type":"Notification","Type":"x"}`))
	f.Fuzz(func(t *testing.T, address, signature, at string, body []byte) {
		for _, v := range verifiers {
			acceptsNothing(t, v, request("", body, "Paypal-Cert-Url", address, "Paypal-Transmission-Sig", signature,
				"Paypal-Transmission-Time", at, "Paypal-Transmission-Id", "t", "Paypal-Auth-Algo", "SHA256withRSA"))
		}
	})
}

// FuzzToken feeds the JSON Web Tokens, and the bodies beside them.
func FuzzToken(f *testing.F) {
	own := newIssuer(f)
	verifiers := fuzzed(f,
		endpoint{provider: "google-pubsub", options: map[string]string{"audience": "a", "email": "e", "jwks": own.jwks}},
		endpoint{provider: "azure-event-grid", options: map[string]string{"audience": "a", "tenantID": "t", "applicationID": "p",
			"jwks": own.jwks}},
		endpoint{provider: "azure-event-grid", keys: []string{unguessed}},
		endpoint{provider: "oidc", options: map[string]string{
			"issuer": "https://i.example", "audience": "a", "claims": "true", "jwks": own.jwks,
		}},
		endpoint{provider: "plaid", keys: []string{own.jwks}},
		endpoint{provider: "fusionauth", keys: []string{own.jwks}},
		endpoint{provider: "fusionauth", keys: []string{unguessed}},
		endpoint{provider: "netlify", keys: []string{unguessed}},
		endpoint{provider: "monday", keys: []string{unguessed}},
	)
	f.Add("eyJhbGciOiJub25lIn0.e30.", []byte(`[{"eventType":"Microsoft.EventGrid.SubscriptionValidationEvent"}]`))
	f.Add("eyJhbGciOiJIUzI1NiJ9.e30.AAAA", []byte(`{"challenge":"c"}`))
	f.Add(newIssuer(f).token(f, googleClaims()), []byte(`{"message":{"messageId":"1"}}`))
	f.Add(`{"payload":"e30","signatures":[{"protected":"eyJhbGciOiJSUzI1NiJ9","signature":"AA"}]}`, []byte("{}"))
	f.Fuzz(func(t *testing.T, token string, body []byte) {
		for _, v := range verifiers {
			acceptsNothing(t, v, request("code="+token, body, "Authorization", "Bearer "+token, "Plaid-Verification", token,
				"X-Webhook-Signature", token, "X-FusionAuth-Signature-JWT", token))
		}
	})
}

// FuzzClaimsRule compiles arbitrary rules; those that compile must judge a
// signed token without panicking.
func FuzzClaimsRule(f *testing.F) {
	own := newIssuer(f)
	const name = "https://i.example"
	push := bearerPost(own.token(f, map[string]any{
		"iss": name, "aud": "a", "sub": "ci", "groups": []string{"x"}, "exp": specialNow.Add(time.Hour).Unix(),
	}))
	f.Add(`claims.sub == "ci" && "x" in claims.groups`)
	f.Add(`claims.groups.all(g, g.matches("(x+)+$")) || claims.nothing`)
	f.Add(`[1,2,3].map(a, [1,2,3].map(b, a*b)) == claims[""]`)
	f.Fuzz(func(t *testing.T, rule string) {
		v, err := endpoint{provider: "oidc", options: map[string]string{
			"issuer": name, "audience": "a", "claims": rule, "jwks": own.jwks,
		}}.tryCompile()
		if err != nil {
			return
		}
		_, _ = v.Verify(t.Context(), push) // the rule's author decides what passes
	})
}

// publicEndpoints take public keys from whoever configures them.
func publicEndpoints(text string) []endpoint {
	return []endpoint{
		{provider: "sendgrid", options: map[string]string{"publicKey": text}},
		{provider: "discord", options: map[string]string{"publicKey": text}},
		{provider: "standard-webhooks", options: map[string]string{"publicKey": text}},
		{provider: "aws-sns", options: map[string]string{"certificate": text}},
		{provider: "travis", options: map[string]string{"publicKey": text}},
		{provider: "google-pubsub", options: map[string]string{"audience": "a", "jwks": text}},
		{provider: "plaid", keys: []string{text}},
		{provider: "fusionauth", keys: []string{text}},
	}
}

// forged is a request that proves nothing to any of them.
func forged(f *testing.F) *verify.Request {
	token := newIssuer(f).token(f, googleClaims())
	body := `{"Type":"Notification","MessageId":"1","Message":"m","TopicArn":"t","Timestamp":"2026-01-01T00:00:00Z",` +
		`"Signature":"AAAA","SignatureVersion":"2","SigningCertURL":` +
		`"https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-01ab.pem"}`
	return request("", []byte(body), "Authorization", "Bearer "+token, "Plaid-Verification", token,
		"X-FusionAuth-Signature-JWT", token, "Signature", "AAAA",
		"X-Twilio-Email-Event-Webhook-Signature", "AAAA", "X-Twilio-Email-Event-Webhook-Timestamp", "1758600000",
		"X-Signature-Ed25519", strings.Repeat("00", 64), "X-Signature-Timestamp", "1758600000",
		"webhook-id", "m", "webhook-timestamp", "1758600000", "webhook-signature", "v1a,"+strings.Repeat("A", 86)+"==")
}

// FuzzPublicMaterial parses PEM, DER, JWKS and certificates that somebody
// configured.
func FuzzPublicMaterial(f *testing.F) {
	s := newSigner(f, "sns.amazonaws.com")
	for _, seed := range []string{
		s.certificate, s.public, newIssuer(f).jwks, strings.Repeat("ab", 32), "whpk_" + strings.Repeat("q", 42) + "o=",
		`{"keys":[{"kty":"oct","k":"AAAA"}]}`, `{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}`,
		"-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----", "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE",
	} {
		f.Add(seed)
	}
	attempt := forged(f)
	f.Fuzz(func(t *testing.T, text string) {
		for _, e := range publicEndpoints(text) {
			v, err := e.tryCompile()
			if err != nil {
				if len(text) > 8 && strings.Contains(err.Error(), text) {
					t.Fatalf("%s: the error shows the key: %v", e.provider, err)
				}
				continue
			}
			if e.provider == "discord" && strings.Trim(text, "0\n\r\t ") == "" {
				continue // a key of small order, for which some signatures hold whatever they sign
			}
			acceptsNothing(t, v, attempt)
		}
	})
}

// FuzzKeys configures arbitrary keys for every provider: whatever they are, a
// request without proof does not pass.
func FuzzKeys(f *testing.F) {
	f.Add("whsec_AAAA", "user:password")
	f.Add("v1,whsec_", ":")
	f.Add("\r\n", "zz")
	f.Fuzz(func(t *testing.T, first, second string) {
		for _, p := range verify.Presets() {
			if p.Secret == verify.SecretNone {
				continue
			}
			source := route.Source{Provider: p.Name, Options: map[string]string{}}
			for _, option := range p.NeededOptions {
				source.Options[option.Name] = second
			}
			v, err := verify.Compile(verify.Config{
				Source: source, URL: "https://h.example/p",
				Keys: []route.Key{{Name: "a", Value: []byte(first)}, {Name: "b", Value: []byte(second)}},
			})
			if err != nil {
				continue
			}
			acceptsNothing(t, v, request("", []byte(`{"value":[{}],"passcode":""}`)))
		}
	})
}
