package verify_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" // what the providers use
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/verify"
)

// specialNow is the time at which the requests of these tests arrive.
var specialNow = time.Unix(1_758_600_000, 0)

// endpoint is what a test configures.
type endpoint struct {
	provider  string
	keys      []string
	options   map[string]string
	url       string
	tolerance int64
	fetcher   *verify.Fetcher
}

func (e endpoint) compile(t testing.TB) verify.Verifier {
	t.Helper()
	verifier, err := e.tryCompile()
	if err != nil {
		t.Fatalf("compile %s: %v", e.provider, err)
	}
	return verifier
}

func (e endpoint) tryCompile() (verify.Verifier, error) {
	config := verify.Config{
		Source:  route.Source{Provider: e.provider, Options: e.options, ToleranceSeconds: e.tolerance},
		URL:     e.url,
		Fetcher: e.fetcher,
	}
	for i, text := range e.keys {
		config.Keys = append(config.Keys, route.Key{Name: "key" + strconv.Itoa(i), Value: route.SecretBytes(text)})
	}
	return verify.Compile(config)
}

func post(body string, headers ...string) *verify.Request {
	request := &verify.Request{Method: http.MethodPost, Header: http.Header{}, Body: []byte(body), Now: specialNow}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	return request
}

func with(request *verify.Request, change func(*verify.Request)) *verify.Request {
	changed := *request
	changed.Header = request.Header.Clone()
	change(&changed)
	return &changed
}

// accepted fails the test unless the request is verified.
func accepted(t *testing.T, verifier verify.Verifier, request *verify.Request) verify.Verdict {
	t.Helper()
	verdict, err := verifier.Verify(context.Background(), request)
	if err != nil {
		t.Fatalf("refused: %v", err)
	}
	return verdict
}

// refused fails the test unless the request is refused for this reason.
func refused(t *testing.T, verifier verify.Verifier, request *verify.Request, reason verify.Reason) {
	t.Helper()
	_, err := verifier.Verify(context.Background(), request)
	var rejection *verify.Rejection
	if !errors.As(err, &rejection) {
		t.Fatalf("got %v, want a rejection with reason %s", err, reason)
	}
	if rejection.Reason != reason {
		t.Fatalf("got %v, want reason %s", rejection, reason)
	}
}

func mac(newHash func() hash.Hash, secret, message string) []byte {
	h := hmac.New(newHash, []byte(secret))
	h.Write([]byte(message))
	return h.Sum(nil)
}

const formType = "application/x-www-form-urlencoded"

// The values of Twilio's own documentation and SDK tests.
func TestTwilio(t *testing.T) {
	t.Parallel()
	const parameters = "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212"
	verifier := endpoint{
		provider: "twilio", keys: []string{"old", "12345"}, url: "https://mycompany.com/myapp.php",
	}.compile(t)
	call := post(parameters, "Content-Type", formType, "X-Twilio-Signature", "RSOYDt4T1cUTdK1PDd93/VVr8B8=")
	call.RawQuery = "foo=1&bar=2"
	if verdict := accepted(t, verifier, call); verdict.KeyName != "key1" {
		t.Errorf("key %q, want key1", verdict.KeyName)
	}
	refused(t, verifier, with(call, func(r *verify.Request) { r.RawQuery = "foo=1&bar=3" }), verify.SignatureMismatch)
	refused(t, verifier, with(call, func(r *verify.Request) {
		r.Body = append(r.Body[:len(r.Body):len(r.Body)], "&x=1"...)
	}), verify.SignatureMismatch)
	refused(t, verifier, with(call, func(r *verify.Request) { r.Header.Del("X-Twilio-Signature") }),
		verify.SignatureMissing)
	refused(t, verifier, with(call, func(r *verify.Request) { r.Header.Set("X-Twilio-Signature", "AAAA") }),
		verify.SignatureMalformed)
	refused(t, verifier, with(call, func(r *verify.Request) { r.Header.Add("X-Twilio-Signature", "AAAA") }),
		verify.SignatureMalformed)

	t.Run("a JSON body is signed by its digest in the URL", func(t *testing.T) {
		t.Parallel()
		json := post(`{"property": "value", "boolean": true}`,
			"Content-Type", "application/json", "X-Twilio-Signature", "a9nBmqA0ju/hNViExpshrM61xv4=")
		json.RawQuery = "foo=1&bar=2&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
		accepted(t, verifier, json)
		refused(t, verifier, with(json, func(r *verify.Request) { r.Body = []byte(`{}`) }), verify.SignatureMismatch)
	})
	t.Run("a JSON body without a digest is signed by nothing", func(t *testing.T) {
		t.Parallel()
		signature := base64.StdEncoding.EncodeToString(mac(sha1.New, "12345", "https://mycompany.com/myapp.php"))
		refused(t, verifier, post(`{}`, "Content-Type", "application/json", "X-Twilio-Signature", signature),
			verify.SignatureMismatch)
	})
	t.Run("the default port may be signed or not", func(t *testing.T) {
		t.Parallel()
		for _, signed := range []string{"https://mycompany.com/myapp.php", "https://mycompany.com:443/myapp.php"} {
			for _, configured := range []string{"https://mycompany.com/myapp.php", "https://mycompany.com:443/myapp.php"} {
				v := endpoint{provider: "twilio", keys: []string{"k"}, url: configured}.compile(t)
				signature := base64.StdEncoding.EncodeToString(mac(sha1.New, "k", signed+"a1a2"))
				accepted(t, v, post("a=2&a=1&a=2", "Content-Type", formType, "X-Twilio-Signature", signature))
			}
		}
	})
}

func TestTwilioSortsDuplicates(t *testing.T) {
	t.Parallel()
	const address = "https://hooks.example.com/calls/twilio"
	verifier := endpoint{provider: "twilio", keys: []string{"k"}, url: address}.compile(t)
	signature := base64.StdEncoding.EncodeToString(mac(sha1.New, "k", address+"A1A2B3"))
	accepted(t, verifier, post("B=3&A=2&A=1&A=2", "Content-Type", formType, "X-Twilio-Signature", signature))
}

func TestMandrill(t *testing.T) {
	t.Parallel()
	const address = "https://hooks.example.com/mail/mandrill"
	verifier := endpoint{provider: "mandrill", keys: []string{"k"}, url: address}.compile(t)
	signature := base64.StdEncoding.EncodeToString(mac(sha1.New, "k", address+`mandrill_events[{"event":"send"}]`))
	body := url.Values{"mandrill_events": {`[{"event":"send"}]`}}.Encode()
	event := post(body, "Content-Type", formType, "X-Mandrill-Signature", signature)
	accepted(t, verifier, event)
	refused(t, verifier, with(event, func(r *verify.Request) {
		r.Body = []byte(strings.Replace(body, "send", "open", 1))
	}), verify.SignatureMismatch)
	head := with(event, func(r *verify.Request) { r.Method = http.MethodHead })
	if verdict := accepted(t, verifier, head); verdict.Handshake == nil || verdict.Handshake.Status != http.StatusOK {
		t.Errorf("HEAD was answered %+v, want 200", verdict.Handshake)
	}
	if _, err := (endpoint{provider: "mandrill", keys: []string{"k"}}).tryCompile(); err == nil {
		t.Error("an endpoint without a URL compiled, though the URL is signed")
	}
}

func TestBraintree(t *testing.T) {
	t.Parallel()
	e := endpoint{provider: "braintree", keys: []string{"private"}, options: map[string]string{"publicKey": "public"}}
	verifier := e.compile(t)
	hashed := sha1.Sum([]byte("private")) // the provider's key derivation
	sign := func(text string) string { return hex.EncodeToString(mac(sha1.New, string(hashed[:]), text)) }
	payload := base64.StdEncoding.EncodeToString([]byte("<notification><kind>check</kind></notification>"))
	notify := func(signature string) *verify.Request {
		return post(url.Values{"bt_signature": {signature}, "bt_payload": {payload}}.Encode(), "Content-Type", formType)
	}
	for _, signed := range []string{payload, payload + "\n"} {
		verdict := accepted(t, verifier, notify("other|00&public|"+sign(signed)))
		if verdict.EventType != "check" {
			t.Errorf("event type %q, want check", verdict.EventType)
		}
	}
	refused(t, verifier, notify("other|"+sign(payload)), verify.SignatureMismatch)
	refused(t, verifier, notify("public|"+sign("x"+payload)), verify.SignatureMismatch)
	refused(t, verifier, notify("public|zz"), verify.SignatureMalformed)
	refused(t, verifier, post("bt_payload="+payload), verify.SignatureMissing)
	refused(t, verifier, post("bt_payload=%zz"), verify.SignatureMalformed)

	const challenge = "20f9f8ed05f77439fe955c977e4c8a53"
	ask := &verify.Request{Method: http.MethodGet, RawQuery: "bt_challenge=" + challenge, Header: http.Header{},
		Now: specialNow}
	answer := accepted(t, verifier, ask).Handshake
	if want := "public|" + sign(challenge); answer == nil || string(answer.Body) != want {
		t.Errorf("challenge was answered %+v, want %s", answer, want)
	}
	// The answer is a signature: nothing but a challenge may be signed.
	refused(t, verifier, with(ask, func(r *verify.Request) { r.RawQuery = "bt_challenge=" + url.QueryEscape(payload) }),
		verify.SignatureMalformed)
}

func TestContentful(t *testing.T) {
	t.Parallel()
	const secret = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	verifier := endpoint{provider: "contentful", keys: []string{secret}, url: "https://app.example/api/hook"}.compile(t)
	millis := strconv.FormatInt(specialNow.UnixMilli(), 10)
	const signedHeaders = "x-contentful-signed-headers,x-contentful-timestamp,x-topic"
	canonical := "POST\n/api/hook?a=b%20c\nx-contentful-signed-headers:" + signedHeaders +
		";x-contentful-timestamp:" + millis + ";x-topic:Entry.publish\n{}"
	entry := post("{}", "X-Contentful-Signature", hex.EncodeToString(mac(sha256.New, secret, canonical)),
		"X-Contentful-Signed-Headers", signedHeaders, "X-Contentful-Timestamp", millis, "X-Topic", "Entry.publish")
	entry.RawQuery = "a=b%20c"
	accepted(t, verifier, entry)
	refused(t, verifier, with(entry, func(r *verify.Request) { r.Header.Set("X-Topic", "Entry.delete") }),
		verify.SignatureMismatch)
	refused(t, verifier, with(entry, func(r *verify.Request) { r.Method = http.MethodPut }), verify.SignatureMismatch)
	refused(t, verifier, with(entry, func(r *verify.Request) { r.RawQuery = "" }), verify.SignatureMismatch)
	refused(t, verifier, with(entry, func(r *verify.Request) { r.Now = specialNow.Add(31 * time.Second) }),
		verify.TimestampOutOfTolerance)
	// A time that the signature does not cover would be the sender's own claim.
	refused(t, verifier, with(entry, func(r *verify.Request) { r.Header.Set("X-Contentful-Signed-Headers", "x-topic") }),
		verify.SignatureMalformed)
}
