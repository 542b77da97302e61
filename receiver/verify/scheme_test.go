package verify_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/verify"
)

// compileScheme builds a verifier for a user's own scheme.
func compileScheme(t *testing.T, scheme route.Scheme, secret string) (verify.Verifier, error) {
	t.Helper()
	return verify.Compile(verify.Config{
		Source: route.Source{Scheme: &scheme}, URL: "https://hooks.example.com/team/own?fixed=1",
		Keys: []route.Key{{Name: "secret", Value: []byte(secret)}},
	})
}

func signed(t *testing.T, scheme route.Scheme, secret string, draft verify.Draft) *verify.Request {
	t.Helper()
	if draft.Method == "" {
		draft.Method = http.MethodPost
	}
	draft.Now = signedAt
	header, err := verify.Sign(&scheme, []byte(secret), &draft)
	if err != nil {
		t.Fatal(err)
	}
	return &verify.Request{
		Method: draft.Method, RawQuery: draft.RawQuery, Header: header, Body: draft.Body, Now: signedAt,
	}
}

func hmacScheme(content string) route.Scheme {
	return route.Scheme{
		Algorithm: route.AlgorithmHMACSHA256,
		Signature: route.Signature{Headers: []string{"X-Signature"}, Encoding: route.EncodingHex},
		Content:   content,
	}
}

func TestContentCoversEverythingItNames(t *testing.T) {
	t.Parallel()
	scheme := hmacScheme("{method}|{url}|{header:X-Other}|{json:a.b[1]}|{id}|{timestamp}|{query:q}|{body}")
	scheme.ID = route.Field{Header: "X-Id"}
	scheme.Timestamp = route.Timestamp{Header: "X-Time"}
	draft := verify.Draft{
		RawQuery: "q=1", Header: http.Header{"X-Other": {"other"}}, Body: []byte(`{"a":{"b":[0,"x\u00e4"]}}`),
		ID: "id1", URL: "https://hooks.example.com/team/own?fixed=1",
	}
	v, err := compileScheme(t, scheme, "secret")
	if err != nil {
		t.Fatal(err)
	}
	verdict, err := v.Verify(t.Context(), signed(t, scheme, "secret", draft))
	if err != nil || verdict.DeliveryID != "id1" {
		t.Fatalf("got %+v, %v; want delivery id id1", verdict, err)
	}
	for name, change := range map[string]func(*verify.Request){
		"method":    func(r *verify.Request) { r.Method = http.MethodPut },
		"query":     func(r *verify.Request) { r.RawQuery = "q=2" },
		"header":    func(r *verify.Request) { r.Header.Set("X-Other", "else") },
		"id":        func(r *verify.Request) { r.Header.Set("X-Id", "id2") },
		"timestamp": func(r *verify.Request) { r.Header.Set("X-Time", "1772798401") },
		"body":      func(r *verify.Request) { r.Body = []byte(`{"a":{"b":[0,"x\u00e5"]}}`) },
	} {
		request := signed(t, scheme, "secret", draft)
		change(request)
		if _, err := v.Verify(t.Context(), request); err == nil || reasonOf(t, err) != verify.SignatureMismatch {
			t.Errorf("%s changed: got %v, want %s", name, err, verify.SignatureMismatch)
		}
	}
	for name, c := range map[string]struct {
		header string
		want   verify.Reason
	}{
		"missing other": {"X-Other", verify.SignatureMalformed}, "missing id": {"X-Id", verify.SignatureMalformed},
		"missing time": {
			"X-Time", verify.TimestampMissing}, "missing signature": {"X-Signature", verify.SignatureMissing},
	} {
		request := signed(t, scheme, "secret", draft)
		request.Header.Del(c.header)
		if _, err := v.Verify(t.Context(), request); err == nil || reasonOf(t, err) != c.want {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
		request = signed(t, scheme, "secret", draft)
		request.Header.Add(c.header, request.Header.Get(c.header))
		if _, err := v.Verify(t.Context(), request); err == nil || reasonOf(t, err) != verify.SignatureMalformed {
			t.Errorf("%s, twice instead: got %v, want %s", name, err, verify.SignatureMalformed)
		}
	}
}

func TestContentOfFormAndQuery(t *testing.T) {
	t.Parallel()
	scheme := hmacScheme("{query:at}.{form:payload}")
	v, err := compileScheme(t, scheme, "secret")
	if err != nil {
		t.Fatal(err)
	}
	draft := verify.Draft{
		RawQuery: "at=5%206", Body: []byte("a=1&payload=%7B%7D"),
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
	}
	if _, err := v.Verify(t.Context(), signed(t, scheme, "secret", draft)); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*verify.Request)
		want   verify.Reason
	}{
		"other query":   {func(r *verify.Request) { r.RawQuery = "at=7" }, verify.SignatureMismatch},
		"other field":   {func(r *verify.Request) { r.Body = []byte("payload=%7B") }, verify.SignatureMismatch},
		"no query":      {func(r *verify.Request) { r.RawQuery = "" }, verify.SignatureMalformed},
		"query twice":   {func(r *verify.Request) { r.RawQuery += "&at=8" }, verify.SignatureMalformed},
		"no field":      {func(r *verify.Request) { r.Body = []byte("a=1") }, verify.SignatureMalformed},
		"field twice":   {func(r *verify.Request) { r.Body = []byte("payload=1&payload=2") }, verify.SignatureMalformed},
		"no form":       {func(r *verify.Request) { r.Header.Set("Content-Type", "text/plain") }, verify.SignatureMalformed},
		"a broken form": {func(r *verify.Request) { r.Body = []byte("payload=%zz") }, verify.SignatureMalformed},
	} {
		request := signed(t, scheme, "secret", draft)
		c.change(request)
		if _, err := v.Verify(t.Context(), request); err == nil || reasonOf(t, err) != c.want {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}

func TestHostAndForwardedHeadersNeverBuildTheURL(t *testing.T) {
	t.Parallel()
	scheme := hmacScheme("{url}{body}")
	v, err := compileScheme(t, scheme, "secret")
	if err != nil {
		t.Fatal(err)
	}
	request := signed(t, scheme, "secret", verify.Draft{URL: "https://attacker.example.com/team/own?fixed=1"})
	request.Header.Set("X-Forwarded-Host", "attacker.example.com")
	request.Header.Set("Host", "attacker.example.com")
	if _, err := v.Verify(t.Context(), request); err == nil || reasonOf(t, err) != verify.SignatureMismatch {
		t.Errorf("got %v, want %s", err, verify.SignatureMismatch)
	}
}

func TestSignedURL(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ configured, query, want string }{
		{"https://h.example/p", "", "https://h.example/p"},
		{"https://h.example/p?a=1", "", "https://h.example/p?a=1"},
		{"https://h.example/p", "a=1&b=%20", "https://h.example/p?a=1&b=%20"},
		{"https://h.example/p?a=1", "a=2", "https://h.example/p?a=2"},
	} {
		if got := verify.SignedURL(c.configured, c.query); got != c.want {
			t.Errorf("SignedURL(%q, %q) = %q, want %q", c.configured, c.query, got, c.want)
		}
	}
}

func TestJSONDocumentsThatParsersReadDifferently(t *testing.T) {
	t.Parallel()
	scheme := hmacScheme("{json:id}.{body}")
	scheme.EventType = route.Field{JSON: "type"}
	v, err := compileScheme(t, scheme, "secret")
	if err != nil {
		t.Fatal(err)
	}
	good := signed(t, scheme, "secret", verify.Draft{Body: []byte(`{"id":"1","Type":"other","type":"t"}`)})
	if verdict, err := v.Verify(t.Context(), good); err != nil || verdict.EventType != "t" {
		t.Fatalf("got %+v, %v; want event type t", verdict, err)
	}
	for _, body := range []string{
		`{"id":"1","id":"2"}`, `{"id":"1","\u0069d":"2"}`, `{"ID":"1"}`, `{"id":null}`, `{"id":{}}`, `{"id":"1"} x`,
		`{"id":"1",}`, `{'id':'1'}`, `{"id":"\ud800"}`, `{"id":"1"`, `["id"]`, ``, `{"id":01}`,
		"{\"id\":\"a\nb\"}", "{\"id\":\"\xff\"}", `{"x":"1"}`,
	} {
		request := *good
		request.Body = []byte(body)
		if _, err := v.Verify(t.Context(), &request); err == nil || reasonOf(t, err) != verify.SignatureMalformed {
			t.Errorf("%s: got %v, want %s", body, err, verify.SignatureMalformed)
		}
	}
}

// Fields are read without the byte order mark before the JSON. A signature of
// the body covers it.
func TestByteOrderMark(t *testing.T) {
	t.Parallel()
	scheme := hmacScheme("{json:id}.{body}")
	scheme.EventType = route.Field{JSON: "type"}
	v, err := compileScheme(t, scheme, "secret")
	if err != nil {
		t.Fatal(err)
	}
	request := signed(t, scheme, "secret", verify.Draft{Body: []byte("\ufeff" + `{"id":"1","type":"t"}`)})
	if verdict, err := v.Verify(t.Context(), request); err != nil || verdict.EventType != "t" {
		t.Errorf("got %+v, %v; want event type t", verdict, err)
	}
	request.Body = request.Body[3:]
	if _, err := v.Verify(t.Context(), request); err == nil || reasonOf(t, err) != verify.SignatureMismatch {
		t.Errorf("without its mark: got %v, want %s", err, verify.SignatureMismatch)
	}
}

func TestAnItemOfAnotherVersionNeverCounts(t *testing.T) {
	t.Parallel()
	secret := "whsec_" + strings.Repeat("1", 32)
	v := compile(t, "standard-webhooks", 0, secret)
	for _, version := range []string{"v0", "v2", "v1a", "V1", "v1 ", ""} {
		request := build(t, "standard-webhooks", secret)
		name := "Webhook-Signature"
		request.Header.Set(name, version+strings.TrimPrefix(request.Header.Get(name), "v1"))
		if _, err := v.Verify(t.Context(), request); err == nil {
			t.Errorf("accepted under %q", version)
		}
	}
	request := build(t, "standard-webhooks", secret)
	request.Header.Set("Webhook-Signature", "v2,AAAA v1a,AAAA "+request.Header.Get("Webhook-Signature"))
	if _, err := v.Verify(t.Context(), request); err != nil {
		t.Errorf("unknown items beside the right one: %v", err)
	}
}

func TestGitLabKeysDecideAndTokensNeverReplaceSignatures(t *testing.T) {
	t.Parallel()
	key, token := "whsec_"+strings.Repeat("1", 32), "plain-token"
	signedRequest := func() *verify.Request { return build(t, "gitlab", key) }
	both := compile(t, "gitlab", 0, token, key)
	if verdict, err := both.Verify(t.Context(), signedRequest()); err != nil || verdict.KeyName != "key1" {
		t.Errorf("signature: got %+v, %v; want key1", verdict, err)
	}
	if verdict, err := both.Verify(t.Context(), build(t, "gitlab", token)); err != nil || verdict.KeyName != "key0" {
		t.Errorf("token: got %+v, %v; want key0", verdict, err)
	}
	forged := signedRequest()
	forged.Body = []byte(`{"forged":true}`)
	forged.Header.Set("X-Gitlab-Token", token)
	for name, v := range map[string]verify.Verifier{"both": both, "token": compile(t, "gitlab", 0, token)} {
		if _, err := v.Verify(t.Context(), forged); err == nil || reasonOf(t, err) != verify.SignatureMismatch {
			t.Errorf("%s: got %v, want %s", name, err, verify.SignatureMismatch)
		}
	}
	only := compile(t, "gitlab", 0, key)
	if _, err := only.Verify(t.Context(), build(t, "gitlab", token)); err == nil ||
		reasonOf(t, err) != verify.SignatureMissing {
		t.Errorf("token against a signing key: got %v, want %s", err, verify.SignatureMissing)
	}
	if got := both.CredentialHeaders(); len(got) != 1 || got[0] != "X-Gitlab-Token" {
		t.Errorf("credential headers %v, want X-Gitlab-Token", got)
	}
}

func TestRepeatedTimestampInAListIsRefused(t *testing.T) {
	t.Parallel()
	v := compile(t, "stripe", 0, "whsec_x")
	request := build(t, "stripe", "whsec_x")
	request.Header.Set("Stripe-Signature", "t=1,"+request.Header.Get("Stripe-Signature"))
	if _, err := v.Verify(t.Context(), request); err == nil || reasonOf(t, err) != verify.SignatureMalformed {
		t.Errorf("got %v, want %s", err, verify.SignatureMalformed)
	}
}

func TestEd25519KeysAreNoHMACKeys(t *testing.T) {
	t.Parallel()
	seed := strings.Repeat("ab", 32)
	scheme := route.Scheme{
		Algorithm: route.AlgorithmEd25519,
		Signature: route.Signature{Headers: []string{"X-Signature"}, Encoding: route.EncodingBase64},
		Key:       route.KeyFormat{Encoding: route.EncodingHex},
	}
	// The seed is not the public key: signing with it must not verify.
	request := signed(t, scheme, seed, verify.Draft{Body: []byte("x")})
	v, err := compileScheme(t, scheme, seed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Verify(t.Context(), request); err == nil || reasonOf(t, err) != verify.SignatureMismatch {
		t.Errorf("got %v, want %s", err, verify.SignatureMismatch)
	}
	mac := scheme
	mac.Algorithm = route.AlgorithmHMACSHA256
	forged := signed(t, mac, seed, verify.Draft{Body: []byte("x")})
	if _, err := v.Verify(t.Context(), forged); err == nil || reasonOf(t, err) != verify.SignatureMalformed {
		t.Errorf("HMAC under the public key: got %v, want %s", err, verify.SignatureMalformed)
	}
}
