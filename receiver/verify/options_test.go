package verify_test

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/verify"
)

func TestHeaderOption(t *testing.T) {
	t.Parallel()
	for _, provider := range []string{"datadog", "okta"} {
		e := endpoint{provider: provider, keys: []string{"text"}}
		accepted(t, e.compile(t), post("{}", "Authorization", "text"))
		e.options = map[string]string{"header": "x-own"}
		own := e.compile(t)
		accepted(t, own, post("{}", "X-Own", "text"))
		refused(t, own, post("{}", "Authorization", "text"), verify.SignatureMissing)
		refused(t, own, post("{}", "X-Own", "texts"), verify.SignatureMismatch)
		if got := own.CredentialHeaders(); len(got) != 1 || got[0] != "X-Own" {
			t.Errorf("%s: credential headers %v, want X-Own", provider, got)
		}
	}
}

func TestGrafanaOptions(t *testing.T) {
	t.Parallel()
	const body = `{"status":"firing"}`
	hexMAC := func(content string) string { return hex.EncodeToString(mac(sha256.New, "k", content)) }
	timed := endpoint{provider: "grafana", keys: []string{"k"}, options: map[string]string{
		"signatureHeader": "X-Own-Signature", "timestampHeader": "X-Own-Time",
	}, tolerance: 60}.compile(t)
	good := post(body, "X-Own-Signature", hexMAC("1758600000:"+body), "X-Own-Time", "1758600000")
	if verdict := accepted(t, timed, good); verdict.EventType != "firing" {
		t.Errorf("event type %q, want firing", verdict.EventType)
	}
	refused(t, timed, at(good, time.Hour), verify.TimestampOutOfTolerance)
	refused(t, timed, with(good, func(r *verify.Request) { r.Header.Del("X-Own-Time") }), verify.TimestampMissing)
	refused(t, timed, post(body, "X-Own-Signature", hexMAC(body), "X-Own-Time", "1758600000"), verify.SignatureMismatch)
	for _, option := range []string{"signatureHeader", "timestampHeader"} {
		e := endpoint{provider: "grafana", keys: []string{"k"}, options: map[string]string{option: "a b"}}
		if _, err := e.tryCompile(); err == nil || !strings.Contains(err.Error(), "source.options."+option) {
			t.Errorf("got %v, want an error that names %s", err, option)
		}
	}
}

func TestParameterOption(t *testing.T) {
	t.Parallel()
	v := endpoint{provider: "quay", keys: []string{"k"}, options: map[string]string{"parameter": "own"}}.compile(t)
	event := with(post("{}"), func(r *verify.Request) { r.RawQuery = "a=b&own=k" })
	accepted(t, v, event)
	refused(t, v, with(event, func(r *verify.Request) { r.RawQuery = "secret=k" }), verify.SignatureMissing)
	refused(t, v, with(event, func(r *verify.Request) { r.RawQuery = "own=%zz" }), verify.SignatureMalformed)
	if got := v.(verify.QueryCredentials).CredentialParameters(); len(got) != 1 || got[0] != "own" {
		t.Errorf("credential parameters %v, want own", got)
	}
}

func TestCloudEventsToken(t *testing.T) {
	t.Parallel()
	v := endpoint{provider: "cloudevents", keys: []string{"old", "k"}}.compile(t)
	if verdict := accepted(t, v, post("{}", "Authorization", "bearer k")); verdict.KeyName != "key1" {
		t.Errorf("key %q, want key1", verdict.KeyName)
	}
	refused(t, v, post("{}", "Authorization", "Basic k"), verify.SignatureMalformed)
	refused(t, v, post("{}", "Authorization", "Bearer x"), verify.SignatureMismatch)
	// Two credentials: nobody can say which one counts.
	both := with(post("{}", "Authorization", "Bearer k"), func(r *verify.Request) { r.RawQuery = "access_token=k" })
	refused(t, v, both, verify.SignatureMalformed)
}

func TestBasicAuth(t *testing.T) {
	t.Parallel()
	encode := func(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }
	v := endpoint{provider: "postmark", keys: []string{"user:pass:word"}}.compile(t)
	accepted(t, v, post("{}", "Authorization", encode("user:pass:word")))
	for header, reason := range map[string]verify.Reason{
		encode("user:pass"): verify.SignatureMismatch, encode("USER:pass:word"): verify.SignatureMismatch,
		encode(""): verify.SignatureMalformed, "Basic ???": verify.SignatureMalformed, "Bearer x": verify.SignatureMalformed,
		"Basic": verify.SignatureMalformed, "": verify.SignatureMissing,
	} {
		_, err := v.Verify(t.Context(), post("{}", "Authorization", header))
		if err == nil {
			t.Errorf("%q: accepted", header)
		} else if got := reasonOf(t, err); got != reason {
			t.Errorf("%q: reason %s, want %s", header, got, reason)
		}
	}
}

func TestToleranceOption(t *testing.T) {
	t.Parallel()
	s := newSigner(t, "sns.amazonaws.com")
	e := endpoint{provider: "aws-sns", options: map[string]string{"publicKey": s.public}, tolerance: 60}
	v := e.compile(t)
	fields := notification()
	fields["Timestamp"] = specialNow.UTC().Format(time.RFC3339Nano)
	accepted(t, v, snsMessage(t, s, "2", fields))
	refused(t, v, at(snsMessage(t, s, "2", fields), 2*time.Minute), verify.TimestampOutOfTolerance)
	refused(t, v, at(snsMessage(t, s, "2", fields), -2*time.Minute), verify.TimestampOutOfTolerance)
	fields["Timestamp"] = "yesterday"
	refused(t, v, snsMessage(t, s, "2", fields), verify.TimestampMissing)
	// Box never signs ahead of time, whatever the tolerance is.
	box := endpoint{provider: "box", keys: []string{"k"}, tolerance: 3600}.compile(t)
	early := specialNow.Add(time.Second).UTC().Format(time.RFC3339)
	refused(t, box, post("{}", "Box-Signature-Version", "1", "Box-Signature-Algorithm", "HmacSHA256",
		"Box-Delivery-Timestamp", early, "Box-Signature-Primary",
		base64.StdEncoding.EncodeToString(mac(sha256.New, "k", "{}"+early))), verify.TimestampOutOfTolerance)
}

func TestProviderNone(t *testing.T) {
	t.Parallel()
	v := endpoint{provider: "none"}.compile(t)
	if verdict := accepted(t, v, post("anything")); verdict != (verify.Verdict{Same: verify.Same{By: verify.IdentityNone}}) {
		t.Errorf("verdict %+v, want none", verdict)
	}
	if got := strings.Join(v.Methods(), " "); got != "POST PUT PATCH" {
		t.Errorf("methods %s, want POST PUT PATCH", got)
	}
}

// TestClaimedIsWhatTheRequestSays: Audit shows what a request claims to be,
// proved or not.
func TestClaimedIsWhatTheRequestSays(t *testing.T) {
	t.Parallel()
	v := endpoint{provider: "github", keys: []string{"k"}}.compile(t)
	claimer, ok := v.(verify.Claimer)
	if !ok {
		t.Fatal("the verifier cannot tell what a request claims")
	}
	got := claimer.Claimed(post(`{"action":"opened"}`, "X-GitHub-Delivery", "d", "X-GitHub-Event", "issues"))
	if got.DeliveryID != "d" || got.EventType != "issues.opened" {
		t.Errorf("claimed %+v, want d and issues.opened", got)
	}
}

// TestTheIDMayStandInTheBody: a declarative scheme can sign an id out of JSON.
func TestTheIDMayStandInTheBody(t *testing.T) {
	t.Parallel()
	scheme := hmacScheme("{id}.{body}")
	scheme.ID = route.Field{JSON: "event.id"}
	v, err := compileScheme(t, scheme, "k")
	if err != nil {
		t.Fatal(err)
	}
	event := func(id, body string) *verify.Request {
		return post(body, "X-Signature", hex.EncodeToString(mac(sha256.New, "k", id+"."+body)))
	}
	if verdict := accepted(t, v, event("7", `{"event":{"id":7}}`)); verdict.DeliveryID != "7" {
		t.Errorf("delivery id %q, want 7", verdict.DeliveryID)
	}
	refused(t, v, event("", `{"event":{}}`), verify.SignatureMalformed)
	refused(t, v, event("8", `{"event":{"id":7}}`), verify.SignatureMismatch)
}

// TestPortsOfSignedURLs: the provider's libraries try the URL with its port,
// without, and with that of the scheme.
func TestPortsOfSignedURLs(t *testing.T) {
	t.Parallel()
	sign := func(address string) *verify.Request {
		return post("", "X-Twilio-Signature", base64.StdEncoding.EncodeToString(mac(sha1.New, "k", address)))
	}
	for _, c := range []struct {
		configured, signed string
		ok                 bool
	}{
		{"http://h.example/p", "http://h.example:80/p", true}, {"https://h.example/p", "https://h.example:80/p", false},
		{"https://h.example:8443/p", "https://h.example:8443/p", true},
		{"https://h.example:8443/p", "https://h.example/p", true}, {"https://h.example/p", "http://h.example/p", false},
		{"https://h.example/p", "https://h.example/p/", false}, {"https://H.example/p", "https://h.example/p", false},
		{"https://[::1]/p", "https://[::1]:443/p", true}, {"https://[::1]:8443/p", "https://[::1]/p", true},
		{"https://h.example/p", "https://h.example:8443/p", false}, {"https://h.example:8443/p", "https://h.example:8444/p", false},
		{"https://h.example:8443/p", "https://h.example:443/p", true},
	} {
		v := endpoint{provider: "twilio", keys: []string{"k"}, url: c.configured}.compile(t)
		_, err := v.Verify(t.Context(), with(sign(c.signed), func(r *verify.Request) { r.Method = http.MethodGet }))
		if (err == nil) != c.ok {
			t.Errorf("%s configured, %s signed: got %v, want accepted %t", c.configured, c.signed, err, c.ok)
		}
	}
}

func TestRejectionsAreSentences(t *testing.T) {
	t.Parallel()
	v := endpoint{provider: "github", keys: []string{"k"}}.compile(t)
	_, err := v.Verify(t.Context(), post("{}"))
	if err == nil || err.Error() != "signature_missing: header X-Hub-Signature-256 is missing" {
		t.Errorf("got %v", err)
	}
	if got := (&verify.Rejection{Reason: verify.SignatureMismatch}).Error(); got != "signature_mismatch" {
		t.Errorf("a rejection without detail is %q", got)
	}
}
