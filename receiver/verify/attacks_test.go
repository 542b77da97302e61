package verify_test

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/postern-dev/postern/receiver/verify"
)

// The attacks that are known against receivers of webhooks. That a request
// cannot be replayed under a fresh id where the id is not signed is the replay
// guard of receiver/ingest, and tested there.

// TestVersionDowngrade: an older or weaker proof beside the right one, or in
// its place, is no proof.
func TestVersionDowngrade(t *testing.T) {
	t.Parallel()
	const secret, body = "secret", `{"a":1}`
	hexMAC := func(content string) string { return hex.EncodeToString(mac(sha256.New, secret, content)) }
	plain := func(content string) string {
		sum := sha256.Sum256([]byte(content))
		return hex.EncodeToString(sum[:])
	}
	at := "1758600000"
	for name, c := range map[string]struct {
		provider string
		headers  []string
	}{
		"stripe test-mode item": {"stripe", []string{"Stripe-Signature", "t=" + at + ",v0=" + hexMAC(at+"."+body)}},
		"slack of another version": {"slack", []string{"X-Slack-Request-Timestamp", at, "X-Slack-Signature",
			"v1=" + hexMAC("v1:"+at+":"+body)}},
		"slack without a version": {"slack", []string{"X-Slack-Request-Timestamp", at, "X-Slack-Signature",
			hexMAC("v0:" + at + ":" + body)}},
		"github by SHA-1": {"github", []string{"X-Hub-Signature", "sha1=" + hexMAC(body)}},
		"github, SHA-1 in the new header": {
			"github", []string{"X-Hub-Signature-256", "sha1=" + hexMAC(body)}},
		"hubspot v1": {"hubspot", []string{"X-HubSpot-Signature", plain(secret + body), "X-HubSpot-Signature-Version", "v1"}},
		"hubspot v1 in the header of v3": {
			"hubspot", []string{"X-HubSpot-Signature-v3", plain(secret + body), "X-HubSpot-Request-Timestamp", at + "000"}},
		"plivo v1":           {"plivo", []string{"X-Plivo-Signature", hexMAC(body), "X-Plivo-Signature-V2-Nonce", "1"}},
		"pagerduty v0":       {"pagerduty", []string{"X-PagerDuty-Signature", "v0=" + hexMAC(body)}},
		"circleci v2":        {"circleci", []string{"circleci-signature", "v2=" + hexMAC(body)}},
		"paddle's old name":  {"paddle", []string{"Paddle-Signature", "ts=" + at + ";h0=" + hexMAC(at+":"+body)}},
		"box version 2":      {"box", []string{"Box-Signature-Version", "2", "Box-Signature-Algorithm", "HmacSHA256"}},
		"square's old SHA-1": {"square", []string{"X-Square-Signature", hexMAC("https://h.example/p" + body)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := endpoint{provider: c.provider, keys: []string{secret}, url: "https://h.example/p"}.compile(t)
			_, err := v.Verify(t.Context(), post(body, c.headers...))
			if err == nil {
				t.Fatal("accepted")
			}
			if reason := reasonOf(t, err); reason != verify.SignatureMissing && reason != verify.SignatureMalformed &&
				reason != verify.TimestampMissing {
				t.Errorf("reason %s: the proof was looked at", reason)
			}
		})
	}
}

// TestAWeakerCredentialNeverReplacesASignature: Buildkite sends either a token
// or a signature made with it; a forged signature is not saved by the token.
func TestAWeakerCredentialNeverReplacesASignature(t *testing.T) {
	t.Parallel()
	v := endpoint{provider: "buildkite", keys: []string{"token"}}.compile(t)
	accepted(t, v, post("{}", "X-Buildkite-Token", "token"))
	refused(t, v, post("{}", "X-Buildkite-Token", "token",
		"X-Buildkite-Signature", "timestamp=1758600000,signature="+strings.Repeat("0", 64)), verify.SignatureMismatch)
}

// bearers are the providers of tokens with public keys, and where a token goes.
func bearers(jwks string) map[string]endpoint {
	return map[string]endpoint{
		"Authorization": {provider: "google-pubsub", options: map[string]string{
			"jwks": jwks, "audience": "https://hooks.example.com", "email": "push@example.com",
		}},
		"authorization": {provider: "oidc", options: map[string]string{
			"jwks": jwks, "audience": "https://hooks.example.com", "issuer": "https://accounts.google.com", "claims": "true",
		}},
		"Plaid-Verification":         {provider: "plaid", options: map[string]string{"jwks": jwks}},
		"X-FusionAuth-Signature-JWT": {provider: "fusionauth", options: map[string]string{"jwks": jwks}},
	}
}

func present(header, token string) *verify.Request {
	if strings.EqualFold(header, "Authorization") {
		token = "Bearer " + token
	}
	return post("{}", header, token)
}

// TestKeyConfusion: a public key, in any of its forms, is no shared secret.
func TestKeyConfusion(t *testing.T) {
	t.Parallel()
	own := newIssuer(t)
	private := own.key.(jose.JSONWebKey)
	public := private.Public()
	der, err := x509.MarshalPKIXPublicKey(public.Key)
	if err != nil {
		t.Fatal(err)
	}
	single, err := json.Marshal(public)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	for header, e := range bearers(own.jwks) {
		v := e.compile(t)
		for form, key := range map[string][]byte{
			"JWKS": []byte(own.jwks), "JWK": single, "DER": der, "PEM": text, "PEM without its end": text[:len(text)-1],
		} {
			for _, algorithm := range []jose.SignatureAlgorithm{jose.HS256, jose.HS384, jose.HS512} {
				forged := issuer{algorithm: algorithm, key: key}
				_, err := v.Verify(t.Context(), present(header, forged.token(t, googleClaims())))
				if err == nil || reasonOf(t, err) != verify.SignatureMalformed {
					t.Errorf("%s: %s under the %s: got %v, want %s", e.provider, algorithm, form, err, verify.SignatureMalformed)
				}
			}
		}
	}
}

// TestTokensDoNotBringTheirOwnKey: keys and addresses of keys in a token's
// header are its author's claim.
func TestTokensDoNotBringTheirOwnKey(t *testing.T) {
	t.Parallel()
	own, forger := newIssuer(t), newIssuer(t)
	site := newSite(t, map[string]string{"evil.example/jwks": forger.jwks})
	for name, headers := range map[string]map[jose.HeaderKey]any{
		"jku": {"jku": "https://evil.example/jwks"}, "x5u": {"x5u": "https://evil.example/jwks"},
		"kid as an address": {"kid": "https://evil.example/jwks"}, "crit": {"crit": []string{"exp"}},
	} {
		options := &jose.SignerOptions{EmbedJWK: true}
		for key, value := range headers {
			options.WithHeader(key, value)
		}
		key := forger.key.(jose.JSONWebKey).Key
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, options)
		if err != nil {
			t.Fatal(err)
		}
		claims, err := json.Marshal(googleClaims())
		if err != nil {
			t.Fatal(err)
		}
		signed, err := signer.Sign(claims)
		if err != nil {
			t.Fatal(err)
		}
		token, err := signed.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		for header, e := range bearers(own.jwks) {
			e.fetcher = site.fetcher
			if _, err := e.compile(t).Verify(t.Context(), present(header, token)); err == nil {
				t.Errorf("%s: %s: accepted", e.provider, name)
			}
		}
	}
	if n := site.requests.Load(); n != 0 {
		t.Errorf("%d requests to where the tokens pointed", n)
	}
}

// TestUnsignedTokens: no spelling of "none" is an algorithm.
func TestUnsignedTokens(t *testing.T) {
	t.Parallel()
	own := newIssuer(t)
	payload, err := json.Marshal(googleClaims())
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	endpoints := bearers(own.jwks)
	endpoints["X-Webhook-Signature"] = endpoint{provider: "netlify", keys: []string{"secret"}}
	for header, e := range endpoints {
		v := e.compile(t)
		for _, algorithm := range []string{`"none"`, `"None"`, `"nOnE"`, `""`, `null`, `0`, `["RS256"]`,
			`"RS256","alg":"none"`} {
			for _, signature := range []string{"", "AA", encode([]byte("signature"))} {
				token := encode([]byte(`{"alg":`+algorithm+`}`)) + "." + encode(payload) + "." + signature
				if _, err := v.Verify(t.Context(), present(header, token)); err == nil {
					t.Errorf("%s: alg %s and signature %q: accepted", e.provider, algorithm, signature)
				}
			}
		}
		for _, token := range []string{"", ".", "..", "a.b.c", encode(payload), "{}", `{"payload":"","signatures":[]}`} {
			if _, err := v.Verify(t.Context(), present(header, token)); err == nil {
				t.Errorf("%s: token %q: accepted", e.provider, token)
			}
		}
	}
}

// TestLookAlikeHosts: nothing is fetched from a host that only looks like the
// provider's.
func TestLookAlikeHosts(t *testing.T) {
	t.Parallel()
	s := newSigner(t, "sns.amazonaws.com")
	site := newSite(t, nil)
	v := endpoint{provider: "aws-sns", fetcher: site.fetcher}.compile(t)
	for _, address := range []string{
		"https://sns.eu-west-1.amazonaws.com.evil.example/c.pem", "https://evil.example/sns.eu-west-1.amazonaws.com/SimpleNotificationService-01ab.pem",
		"https://evil-sns.eu-west-1.amazonaws.com/SimpleNotificationService-01ab.pem", "https://sns.eu-west-1.amazonaws.com@evil.example/c.pem",
		"https://sns.eu-west-1.amazonaws.com:8443/c.pem", "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-01ab.pem",
		"https://sns.eu-west-1.amazonaws.org/c.pem", "https://sns.eu-west-1-amazonaws.com/SimpleNotificationService-01ab.pem",
		"https://sns.x.evil.amazonaws.com/SimpleNotificationService-01ab.pem", "https://s3.amazonaws.com/evil/c.pem", "https://sns.amazonaws.com/SimpleNotificationService-01ab.pem",
		"https://sns.eu-west-1.amazonaws.com%2f.evil.example/c.pem", "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-01ab.pem#.pem",
		"https://sns.eu-west-1.amazonaws.com\\.evil.example/c.pem", "//sns.eu-west-1.amazonaws.com/SimpleNotificationService-01ab.pem",
		"https://sns.eu-west-1.ａmazonaws.com/c.pem", "https://sns.eu-west-1.amazonaws.com./c.pem", "c.pem", "",
	} {
		fields := notification()
		fields["SigningCertURL"] = address
		refused(t, v, snsMessage(t, s, "2", fields), verify.SignatureMalformed)
	}
	if n := site.requests.Load(); n != 0 {
		t.Errorf("%d fetches, want none", n)
	}
	china := notification()
	china["SigningCertURL"] = "https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-01ab.pem"
	unreachable(t, v, snsMessage(t, s, "2", china)) // the right host, but nothing there
	if n := site.requests.Load(); n != 1 {
		t.Errorf("%d fetches for the right host, want one", n)
	}
}

// TestDuplicatedProofHeaders: of two headers a proxy and a receiver could each
// take another one.
func TestDuplicatedProofHeaders(t *testing.T) {
	t.Parallel()
	for _, p := range signable(t) {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			secret := secretOf(p, '1')
			v := compile(t, p.Name, 0, secret)
			for _, name := range p.Headers {
				request := build(t, p.Name, secret)
				values := request.Header.Values(name)
				if len(values) == 0 {
					continue // of another variant
				}
				request.Header.Add(name, "other")
				_, err := v.Verify(t.Context(), request)
				if scheme, ok := p.SchemeFor([]byte(secret), nil); ok && scheme.Signature.List != nil &&
					strings.EqualFold(scheme.Signature.Headers[0], name) {
					continue // a list may be sent as several lines, as RFC 9110 says
				}
				if err == nil || reasonOf(t, err) != verify.SignatureMalformed {
					t.Errorf("%s twice: got %v, want %s", name, err, verify.SignatureMalformed)
				}
			}
		})
	}
}

// TestAmbiguousBodies: where the proof or what it covers is in the body, a
// document that two parsers read differently proves nothing.
func TestAmbiguousBodies(t *testing.T) {
	t.Parallel()
	const key = "secret"
	stamp := "1758600000"
	signature := hex.EncodeToString(mac(sha256.New, key, stamp+"token"))
	mailgun := `{"signature":{"timestamp":"` + stamp + `","token":"token","signature":"` + signature + `"}`
	for name, c := range map[string]struct {
		provider, good string
		bad            []string
	}{
		"figma": {"figma", `{"passcode":"secret"}`, []string{
			`{"passcode":"x","passcode":"secret"}`, `{"passcode":"secret","passcode":"x"}`, `{"Passcode":"secret"}`,
			`{"passcode":"secret"}{}`, `{"\u0070asscode":"secret","passcode":"secret"}`, `["passcode","secret"]`,
		}},
		"microsoft-graph": {"microsoft-graph", `{"value":[{"clientState":"secret"}]}`, []string{
			`{"value":[{"clientState":"x","clientState":"secret"}]}`, `{"value":[{"clientState":"secret"},{}]}`,
			`{"value":[],"value":[{"clientState":"secret"}]}`, `{"Value":[{"clientState":"secret"}]}`, `{"value":[]}`,
			`{"value":[{"clientState":"secret"},{"clientState":"x"}]}`, `{"value":[{"clientstate":"secret"}]}`,
		}},
		"mailgun": {"mailgun", mailgun + `}`, []string{
			mailgun + `,"signature":{}}`, strings.Replace(mailgun, `"token":`, `"token":"x","token":`, 1) + `}`,
			strings.Replace(mailgun, `"signature":{`, `"Signature":{`, 1) + `}`, mailgun + `}x`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := endpoint{provider: c.provider, keys: []string{key}}.compile(t)
			accepted(t, v, post(c.good, "Content-Type", "application/json"))
			for _, body := range c.bad {
				_, err := v.Verify(t.Context(), post(body, "Content-Type", "application/json"))
				if err == nil {
					t.Errorf("accepted %s", body)
				} else {
					reasonOf(t, err)
				}
			}
		})
	}
}

// TestAmbiguousItems: a field of an item of Adyen's that stands twice, in another
// case, or is no text, is not taken for one that is absent.
func TestAmbiguousItems(t *testing.T) {
	t.Parallel()
	key := strings.Repeat("41", 32)
	secret, _ := hex.DecodeString(key)
	item := func(amount, more string) string {
		signature := base64.StdEncoding.EncodeToString(mac(sha256.New, string(secret), "p::m:r:1130:EUR:AUTHORISATION:true"))
		return `{"notificationItems":[{"NotificationRequestItem":{"pspReference":"p","merchantAccountCode":"m",` +
			`"merchantReference":"r","amount":` + amount + `,"eventCode":"AUTHORISATION","success":"true",` +
			`"additionalData":{"hmacSignature":"` + signature + `"}` + more + `}}]}`
	}
	v := endpoint{provider: "adyen-payments", keys: []string{key}}.compile(t)
	accepted(t, v, post(item(`{"value":1130,"currency":"EUR"}`, "")))
	original := item(`{"value":1130,"currency":"EUR"}`, `,"originalReference":"o"`)
	refused(t, v, post(original), verify.SignatureMismatch)
	accepted(t, v, post(item(`{"value":1130,"currency":"EUR"}`, `,"originalReference":null`)))
	for name, body := range map[string]string{
		"second value":           item(`{"value":1130,"currency":"EUR","value":1}`, ""),
		"second amount":          item(`{"value":1130,"currency":"EUR"}`, `,"amount":{"value":1,"currency":"EUR"}`),
		"second reference":       item(`{"value":1130,"currency":"EUR"}`, `,"pspReference":"q"`),
		"value in another case":  item(`{"value":1130,"Value":1,"currency":"EUR"}`, ""),
		"amount in another case": item(`{"value":1130,"currency":"EUR"}`, `,"AMOUNT":{"value":1}`),
		"folded name":            item(`{"Value":1130,"currency":"EUR"}`, ""),
		"original twice":         item(`{"value":1130,"currency":"EUR"}`, `,"originalReference":"o","originalReference":"o"`),
		"original in other case": item(`{"value":1130,"currency":"EUR"}`, `,"OriginalReference":"o"`),
		"original in a list":     item(`{"value":1130,"currency":"EUR"}`, `,"originalReference":["o"]`),
		"original in an object":  item(`{"value":1130,"currency":"EUR"}`, `,"originalReference":{"o":1}`),
		"amount in a list":       item(`[{"value":1130,"currency":"EUR"}]`, ""),
		"amount is a text":       item(`"1130"`, ""),
	} {
		if _, err := v.Verify(t.Context(), post(body)); err == nil || reasonOf(t, err) != verify.SignatureMalformed {
			t.Errorf("%s: got %v, want %s", name, err, verify.SignatureMalformed)
		}
	}
}

// TestFoldedNames: beside what is signed nothing stands that a target which
// folds case would read in its place.
func TestFoldedNames(t *testing.T) {
	t.Parallel()
	s := newSigner(t, "sns.amazonaws.com")
	v := endpoint{provider: "aws-sns", options: map[string]string{"certificate": s.certificate}}.compile(t)
	good := snsMessage(t, s, "2", notification())
	accepted(t, v, good)
	for _, name := range []string{"message", "MESSAGE", "Me\u0053sage", "Meſsage", "topicArn"} {
		forged := with(good, func(r *verify.Request) {
			r.Body = []byte(`{"` + name + `":"forged",` + string(r.Body[1:]))
		})
		refused(t, v, forged, verify.SignatureMalformed)
	}
	// The subject is optional, so what only looks absent must be refused.
	for _, subject := range []string{
		`"Subject":"a","Subject":"b"`, `"subject":"a"`, `"SUBJECT":"a"`, `"Subject":["a"]`, `"Subject":{"a":1}`,
		`"Sub\u006aect":"a","Subject":"b"`,
	} {
		forged := with(good, func(r *verify.Request) { r.Body = []byte(`{` + subject + `,` + string(r.Body[1:])) })
		refused(t, v, forged, verify.SignatureMalformed)
	}
	batch := endpoint{provider: "microsoft-graph", keys: []string{"k"}}.compile(t)
	accepted(t, batch, post(`{"value":[{"clientState":"k"}]}`))
	refused(t, batch, post(`{"value":[{"clientState":"k"}],"Value":[{"clientState":"x"}]}`), verify.SignatureMissing)
}

// TestAmbiguousTimestamps: a second webhookTimestamp cannot make an old event
// of Linear's fresh, since the first is not taken either.
func TestAmbiguousTimestamps(t *testing.T) {
	t.Parallel()
	v := endpoint{provider: "linear", keys: []string{"secret"}}.compile(t)
	event := func(body string) *verify.Request {
		return post(body, "Linear-Signature", hex.EncodeToString(mac(sha256.New, "secret", body)))
	}
	accepted(t, v, event(`{"webhookTimestamp":1758600000000}`))
	for _, body := range []string{
		`{"webhookTimestamp":1,"webhookTimestamp":1758600000000}`, `{"WebhookTimestamp":1758600000000}`,
		`{"webhookTimestamp":[1758600000000]}`, `{}`,
	} {
		refused(t, v, event(body), verify.TimestampMissing)
	}
}

// TestAmbiguousParameters: parameters that occur twice prove nothing.
func TestAmbiguousParameters(t *testing.T) {
	t.Parallel()
	query := endpoint{provider: "docker-hub", keys: []string{"secret"}}.compile(t)
	for _, text := range []string{
		"secret=secret&secret=x", "secret=x&secret=secret", "secret=secret&secret=secret", "Secret=secret",
		"secret=secret;a=b",
	} {
		if _, err := query.Verify(t.Context(), &verify.Request{
			Method: http.MethodPost, RawQuery: text, Header: http.Header{}, Now: specialNow,
		}); err == nil {
			t.Errorf("%s: accepted", text)
		}
	}
	s := newSigner(t, "travis")
	travis := endpoint{provider: "travis", options: map[string]string{"publicKey": s.public}}.compile(t)
	for _, body := range []string{"payload=a&payload=b", "Payload=a", "payload=%zz", ""} {
		refused(t, travis, post(body, "Content-Type", formType, "Signature", "AAAA"), verify.SignatureMalformed)
	}
}

// TestOldTokens: a token that was seen long ago does not pass, even from
// issuers that give it no end.
func TestOldTokens(t *testing.T) {
	t.Parallel()
	secret := strings.Repeat("s", 32)
	monday := endpoint{provider: "monday", keys: []string{secret}}.compile(t)
	token := issuer{algorithm: jose.HS256, key: []byte(secret)}.token(t, map[string]any{
		"exp": specialNow.Add(time.Minute).Unix(),
	})
	accepted(t, monday, post("{}", "Authorization", token))
	refused(t, monday, at(post("{}", "Authorization", token), time.Hour), verify.TimestampOutOfTolerance)
}
