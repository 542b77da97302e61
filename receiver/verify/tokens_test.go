package verify_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/postern-dev/postern/receiver/verify"
)

// issuer signs tokens.
type issuer struct {
	algorithm jose.SignatureAlgorithm
	key       any
	jwks      string
}

func newIssuer(t testing.TB) issuer {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: &private.PublicKey, KeyID: "k1", Algorithm: "RS256", Use: "sig"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return issuer{jose.RS256, jose.JSONWebKey{Key: private, KeyID: "k1"}, string(public)}
}

func (i issuer) token(t testing.TB, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: i.algorithm, Key: i.key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func googleClaims() map[string]any {
	return map[string]any{
		"iss": "https://accounts.google.com", "aud": "https://hooks.example.com", "email": "push@example.com",
		"email_verified": true, "exp": specialNow.Add(time.Hour).Unix(), "iat": specialNow.Unix(),
	}
}

func changed(claims map[string]any, name string, value any) map[string]any {
	if value == nil {
		delete(claims, name)
	} else {
		claims[name] = value
	}
	return claims
}

func bearerPost(text string) *verify.Request {
	return post(`{"message":{"messageId":"7"}}`, "Authorization", "Bearer "+text)
}

func TestPubSub(t *testing.T) {
	t.Parallel()
	google, other := newIssuer(t), newIssuer(t)
	verifier := endpoint{provider: "google-pubsub", options: map[string]string{
		"jwks": google.jwks, "audience": "https://hooks.example.com", "email": "push@example.com",
	}}.compile(t)
	verdict := accepted(t, verifier, bearerPost(google.token(t, googleClaims())))
	if verdict.DeliveryID != "7" {
		t.Errorf("delivery id %q, want 7", verdict.DeliveryID)
	}
	for name, c := range map[string]struct {
		claim  string
		value  any
		reason verify.Reason
	}{
		"another issuer":      {"iss", "https://evil.example", verify.SignatureMismatch},
		"another audience":    {"aud", "https://other.example.com", verify.SignatureMismatch},
		"another account":     {"email", "x@example.com", verify.SignatureMismatch},
		"an unverified email": {"email_verified", false, verify.SignatureMismatch},
		"expired":             {"exp", specialNow.Add(-2 * time.Minute).Unix(), verify.TimestampOutOfTolerance},
		"not valid yet":       {"nbf", specialNow.Add(2 * time.Minute).Unix(), verify.TimestampOutOfTolerance},
		"without an end":      {"exp", nil, verify.TimestampMissing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refused(t, verifier, bearerPost(google.token(t, changed(googleClaims(), c.claim, c.value))), c.reason)
		})
	}
	refused(t, verifier, bearerPost(other.token(t, googleClaims())), verify.SignatureMismatch)
	refused(t, verifier, post("{}"), verify.SignatureMissing)
	refused(t, verifier, post("{}", "Authorization", "Basic eA=="), verify.SignatureMalformed)
	if headers := verifier.CredentialHeaders(); len(headers) != 1 || headers[0] != "Authorization" {
		t.Errorf("credential headers %v, want Authorization", headers)
	}
}

// The classic attacks on JWT: no signature at all, and the public key taken
// for a shared secret.
func TestTokenAlgorithmConfusion(t *testing.T) {
	t.Parallel()
	google := newIssuer(t)
	verifier := endpoint{provider: "google-pubsub", options: map[string]string{
		"jwks": google.jwks, "audience": "https://hooks.example.com", "email": "push@example.com",
	}}.compile(t)
	payload, err := json.Marshal(googleClaims())
	if err != nil {
		t.Fatal(err)
	}
	for _, algorithm := range []string{"none", "None", "NONE", ""} {
		header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"` + algorithm + `","typ":"JWT"}`))
		text := header + "." + base64.RawURLEncoding.EncodeToString(payload) + "."
		refused(t, verifier, bearerPost(text), verify.SignatureMalformed)
	}
	confused := issuer{algorithm: jose.HS256, key: []byte(google.jwks)}
	refused(t, verifier, bearerPost(confused.token(t, googleClaims())), verify.SignatureMalformed)

	shared := `{"keys":[{"kty":"oct","k":"` + base64.RawURLEncoding.EncodeToString(make([]byte, 32)) + `"}]}`
	if _, err := (endpoint{provider: "google-pubsub", options: map[string]string{
		"jwks": shared, "audience": "a",
	}}).tryCompile(); err == nil {
		t.Error("a symmetric key passed as a public one")
	}
}

func TestPlaid(t *testing.T) {
	t.Parallel()
	plaid := newIssuer(t)
	if _, err := (endpoint{provider: "plaid"}).tryCompile(); err == nil {
		t.Error("an endpoint without a key set compiled")
	}
	verifier := endpoint{provider: "plaid", keys: []string{plaid.jwks}}.compile(t)
	// The algorithm is fixed to ES256, whatever key is configured.
	refused(t, verifier, post("{}", "Plaid-Verification", plaid.token(t, map[string]any{"iat": specialNow.Unix()})),
		verify.SignatureMalformed)
}

func TestNetlify(t *testing.T) {
	t.Parallel()
	const body = `{"id":"d1","state":"ready"}`
	sum := sha256.Sum256([]byte(body))
	claims := map[string]any{"iss": "netlify", "sha256": hex.EncodeToString(sum[:])}
	// Shorter than the library itself would take; HMAC fills it with zeros.
	short := []byte("short secret")
	netlify := issuer{algorithm: jose.HS256, key: append(short[:len(short):len(short)], make([]byte, 32-len(short))...)}
	verifier := endpoint{provider: "netlify", keys: []string{string(short)}}.compile(t)
	deploy := post(body, "X-Webhook-Signature", netlify.token(t, claims))
	accepted(t, verifier, deploy)
	refused(t, verifier, with(deploy, func(r *verify.Request) { r.Body = []byte("{}") }), verify.SignatureMismatch)
	refused(t, endpoint{provider: "netlify", keys: []string{"another secret"}}.compile(t), deploy,
		verify.SignatureMismatch)
	refused(t, verifier, post(body, "X-Webhook-Signature", netlify.token(t, changed(claims, "iss", "x"))),
		verify.SignatureMismatch)
}

func TestMonday(t *testing.T) {
	t.Parallel()
	secret := strings.Repeat("s", 32)
	monday := issuer{algorithm: jose.HS256, key: []byte(secret)}
	verifier := endpoint{provider: "monday", keys: []string{secret}}.compile(t)
	claims := map[string]any{"aud": "https://hooks.example.com", "exp": specialNow.Add(time.Minute).Unix()}
	accepted(t, verifier, post("{}", "Authorization", monday.token(t, claims)))
	refused(t, verifier, post("{}"), verify.SignatureMissing)
	answer := accepted(t, verifier, post(`{"challenge":"c<1>"}`)).Handshake
	if answer == nil || string(answer.Body) != `{"challenge":"c\u003c1\u003e"}` {
		t.Errorf("challenge was answered %+v", answer)
	}
	strict := endpoint{provider: "monday", keys: []string{secret}, options: map[string]string{"audience": "https://x"}}
	refused(t, strict.compile(t), post("{}", "Authorization", monday.token(t, claims)), verify.SignatureMismatch)
}

func TestEventGridToken(t *testing.T) {
	t.Parallel()
	entra := newIssuer(t)
	verifier := endpoint{provider: "azure-event-grid", options: map[string]string{
		"audience": "api://hooks", "tenantID": "tenant-1", "applicationID": "app-1", "jwks": entra.jwks,
	}}.compile(t)
	claims := func() map[string]any {
		return map[string]any{
			"iss": "https://sts.windows.net/tenant-1/", "aud": "api://hooks", "appid": "app-1",
			"exp": specialNow.Add(time.Hour).Unix(),
		}
	}
	event := func(claims map[string]any) *verify.Request {
		return post(`[{"id":"e1","eventType":"Blob.Created"}]`, "Authorization", "Bearer "+entra.token(t, claims))
	}
	verdict := accepted(t, verifier, event(claims()))
	if verdict.DeliveryID != "e1" || verdict.EventType != "Blob.Created" {
		t.Errorf("got %+v", verdict)
	}
	accepted(t, verifier, event(changed(claims(), "iss", "https://login.microsoftonline.com/tenant-1/v2.0")))
	refused(t, verifier, event(changed(claims(), "iss", "https://sts.windows.net/tenant-2/")), verify.SignatureMismatch)
	refused(t, verifier, event(changed(claims(), "appid", "app-2")), verify.SignatureMismatch)
	validation := with(event(claims()), func(r *verify.Request) {
		r.Header.Set("Aeg-Event-Type", "SubscriptionValidation")
		r.Body = []byte(`[{"eventType":"Microsoft.EventGrid.SubscriptionValidationEvent","data":{"validationCode":"C1"}}]`)
	})
	answer := accepted(t, verifier, validation).Handshake
	if answer == nil || string(answer.Body) != `{"validationResponse":"C1"}` {
		t.Errorf("validation was answered %+v", answer)
	}
	refused(t, verifier, with(validation, func(r *verify.Request) { r.Header.Del("Authorization") }),
		verify.SignatureMissing)
}

func TestEventGridURLSecret(t *testing.T) {
	t.Parallel()
	verifier := endpoint{provider: "azure-event-grid", keys: []string{"s3cret"}}.compile(t)
	event := post("[]")
	event.RawQuery = "code=s3cret"
	accepted(t, verifier, event)
	refused(t, verifier, with(event, func(r *verify.Request) { r.RawQuery = "code=other" }), verify.SignatureMismatch)
	refused(t, verifier, with(event, func(r *verify.Request) { r.RawQuery = "" }), verify.SignatureMissing)
	parameters := verifier.(verify.QueryCredentials).CredentialParameters()
	if len(parameters) != 1 || parameters[0] != "code" {
		t.Errorf("credential parameters %v, want code", parameters)
	}
	options := with(event, func(r *verify.Request) {
		r.Method = http.MethodOptions
		r.Header.Set("Webhook-Request-Origin", "eventgrid.azure.net")
	})
	answer := accepted(t, verifier, options).Handshake
	if answer == nil || answer.Header.Get("Webhook-Allowed-Origin") != "eventgrid.azure.net" {
		t.Errorf("OPTIONS was answered %+v", answer)
	}
	if _, err := (endpoint{provider: "azure-event-grid"}).tryCompile(); err == nil {
		t.Error("an endpoint with neither audience nor secret compiled")
	}
}

func TestOIDC(t *testing.T) {
	t.Parallel()
	own := newIssuer(t)
	const name = "https://issuer.example.com/realm"
	site := newSite(t, map[string]string{
		"issuer.example.com/realm/.well-known/openid-configuration": `{"issuer":"` + name + `","jwks_uri":"https://keys.example.com/jwks"}`,
		"keys.example.com/jwks": own.jwks,
	})
	options := func(rule string) map[string]string {
		return map[string]string{"issuer": name, "audience": "postern", "claims": rule}
	}
	verifier := endpoint{provider: "oidc", options: options(`claims.sub == "ci"`), fetcher: site.fetcher}.compile(t)
	claims := func() map[string]any {
		return map[string]any{"iss": name, "aud": []string{"x", "postern"}, "sub": "ci",
			"exp": specialNow.Add(time.Minute).Unix()}
	}
	accepted(t, verifier, bearerPost(own.token(t, claims())))
	refused(t, verifier, bearerPost(own.token(t, changed(claims(), "sub", "cd"))), verify.SignatureMismatch)
	refused(t, verifier, bearerPost(own.token(t, changed(claims(), "sub", nil))), verify.SignatureMismatch)
	refused(t, verifier, bearerPost(own.token(t, changed(claims(), "iss", "https://issuer.example.com"))),
		verify.SignatureMismatch)
	if n := site.requests.Load(); n != 2 {
		t.Errorf("%d fetches, want one of the metadata and one of the keys", n)
	}
	for rule, want := range map[string]string{
		"": "claims", `"sub"`: "must give a bool", "claims.sub ==": "Syntax error", "nonsense == 1": "undeclared",
	} {
		_, err := endpoint{provider: "oidc", options: options(rule)}.tryCompile()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("rule %q: got %v, want an error about %q", rule, err, want)
		}
	}
}

func TestFusionAuth(t *testing.T) {
	t.Parallel()
	const body = `{"event":{"id":"e1","type":"user.create"}}`
	sum := sha256.Sum256([]byte(body))
	claims := map[string]any{"request_body_sha256": base64.StdEncoding.EncodeToString(sum[:])}
	event := func(i issuer) *verify.Request { return post(body, "X-FusionAuth-Signature-JWT", i.token(t, claims)) }
	own, other := newIssuer(t), newIssuer(t)
	secret := strings.Repeat("s", 64)

	public := endpoint{provider: "fusionauth", options: map[string]string{"jwks": own.jwks}}.compile(t)
	if verdict := accepted(t, public, event(own)); verdict.DeliveryID != "e1" || verdict.EventType != "user.create" {
		t.Errorf("got %+v, want e1 and user.create", verdict)
	}
	refused(t, public, with(event(own), func(r *verify.Request) { r.Body = append(r.Body, '\n') }),
		verify.SignatureMismatch)
	refused(t, public, event(other), verify.SignatureMismatch)
	refused(t, public, post(body), verify.SignatureMissing)
	refused(t, public, event(issuer{algorithm: jose.HS256, key: []byte(own.jwks)}), verify.SignatureMalformed)

	for _, algorithm := range []jose.SignatureAlgorithm{jose.HS256, jose.HS384, jose.HS512} {
		shared := endpoint{provider: "fusionauth", keys: []string{"old", secret}}.compile(t)
		accepted(t, shared, event(issuer{algorithm: algorithm, key: []byte(secret)}))
		refused(t, shared, event(issuer{algorithm: algorithm, key: []byte(strings.Repeat("x", 64))}),
			verify.SignatureMismatch)
		refused(t, shared, event(own), verify.SignatureMalformed)
	}
	if _, err := (endpoint{provider: "fusionauth"}).tryCompile(); err == nil {
		t.Error("an endpoint without any key compiled")
	}
	// A public key must never become a shared secret, whatever stands beside it.
	if _, err := (endpoint{provider: "fusionauth", keys: []string{secret, own.jwks}}).tryCompile(); err == nil {
		t.Error("a public key beside a secret compiled")
	}
}

func TestVonage(t *testing.T) {
	t.Parallel()
	const body = `{"status":"answered","uuid":"u1"}`
	secret := strings.Repeat("s", 32)
	vonage := issuer{algorithm: jose.HS256, key: []byte(secret)}
	claims := func() map[string]any {
		sum := sha256.Sum256([]byte(body))
		return map[string]any{"iss": "Vonage", "iat": specialNow.Unix(), "jti": "j1", "payload_hash": hex.EncodeToString(sum[:])}
	}
	event := func(claims map[string]any) *verify.Request {
		return post(body, "Authorization", "Bearer "+vonage.token(t, claims))
	}
	v := endpoint{provider: "vonage", keys: []string{"old", secret}}.compile(t)
	if verdict := accepted(t, v, event(claims())); verdict.KeyName != "key1" || verdict.EventType != "answered" {
		t.Errorf("got %+v, want key1 and answered", verdict)
	}
	refused(t, v, with(event(claims()), func(r *verify.Request) { r.Body = []byte("{}") }), verify.SignatureMismatch)
	refused(t, v, event(changed(claims(), "payload_hash", nil)), verify.SignatureMismatch)
	refused(t, v, post(body), verify.SignatureMissing)
	refused(t, v, post(body, "Authorization", vonage.token(t, claims())), verify.SignatureMalformed)
	refused(t, endpoint{provider: "vonage", keys: []string{"other"}}.compile(t), event(claims()), verify.SignatureMismatch)

	late := func(r *verify.Request) { r.Now = specialNow.Add(time.Hour) }
	accepted(t, v, with(event(claims()), late))
	strict := endpoint{provider: "vonage", keys: []string{secret}, tolerance: 300}.compile(t)
	refused(t, strict, with(event(claims()), late), verify.TimestampOutOfTolerance)
}
