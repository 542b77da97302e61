package verify_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/postern-dev/postern/receiver/verify"
	"github.com/postern-dev/postern/receiver/verify/sign"
)

// larkSDK is the ciphertext of the test of larksuite/oapi-sdk-go v3,
// event/dispatcher/dispatcher_test.go, under larkSDKKey: the check of an address.
const (
	larkSDKKey = "1212121212"
	larkSDK    = "bZ3L7yh6m3Fkuffl4g+3uGjIHnhOm5fVZbKVuyT8t7tcd5ABMYm8l28/X900ZL3knZ7n+sCREu/H2WnIzft0amC7+xWqNH8o25IU63N4" +
		"BnZWfHh+4hyG76QPd19vkw2bPJCx9aqxK8Nz+xqFNbk0RdgyWhmgd30jSxHtcQXAllkI7FMpGpOCteJad3bLXPDBQIV/xkCtKICCS7Z63gak" +
		"pxZCLaRZ3qCXP1fapHh+LBIupxenrU6ysc7I3nHmjmKie41IiWwS5puG4zQHhVbq6KWLcgWm/3NBZOPQy53ucMu75SXA55I7jarVLZXWUcqB" +
		"GrcgE3vouWbtwgZuzmoTQl0GSh5VYSVvpW992BuGxUWj0XjPYdICJm6Cr7xouNXwMcdb7N8caVdkdSZeEnswG19qSyDoQhklwzNGW0yiaayu" +
		"lBqJNjfge/G5V3401c2XaIuAeEIo+QQ4RSNpRGfnHkbu/j55FGQAGWjpuBNaIwZbaUoVP3NkGP+vM5rpEDe3sL2GN+Xsd+g9yBs7FqdMV8mX" +
		"TGgLjCqjrPrke5/km76Q3Pe6KPs2YexMRG4MkSx3xUTzZnNn7zIzShPcjeSwBd2pxk6ht5N+fzueZdxl6Oo="
)

// larkPost signs as the documentation says: the SHA-256 of time, nonce, key and body.
func larkPost(key, body string) *verify.Request {
	const at, nonce = "1758600000", "n0nce"
	sum := sha256.Sum256([]byte(at + nonce + key + body))
	return post(body, "X-Lark-Request-Timestamp", at, "X-Lark-Request-Nonce", nonce,
		"X-Lark-Signature", hex.EncodeToString(sum[:]))
}

func larkEvent(t *testing.T, key, plain string) *verify.Request {
	t.Helper()
	r, err := sign.Build(sign.Event{Provider: "feishu", Secret: []byte(key), Body: []byte(plain), Now: specialNow})
	if err != nil {
		t.Fatal(err)
	}
	return &verify.Request{Method: r.Method, Header: r.Header, Body: r.Body, Now: specialNow}
}

func TestLarkWithAnEncryptKey(t *testing.T) {
	t.Parallel()
	v := endpoint{provider: "lark", keys: []string{"older", larkSDKKey}}.compile(t)
	event := larkEvent(t, larkSDKKey,
		`{"schema":"2.0","header":{"event_id":"e1","event_type":"im.message.receive_v1","token":"v"},"event":{}}`)
	verdict := accepted(t, v, event)
	if verdict.KeyName != "key1" || verdict.DeliveryID != "e1" || verdict.EventType != "im.message.receive_v1" {
		t.Errorf("got %+v, want key1, e1 and im.message.receive_v1", verdict)
	}
	old := larkEvent(t, larkSDKKey, `{"uuid":"u1","token":"v","type":"event_callback","event":{"type":"message"}}`)
	if verdict := accepted(t, v, old); verdict.DeliveryID != "u1" || verdict.EventType != "message" {
		t.Errorf("version 1: got %+v, want u1 and message", verdict)
	}
	refused(t, v, larkEvent(t, "another key", `{}`), verify.SignatureMismatch)
	refused(t, v, with(event, func(r *verify.Request) { r.Body = append(r.Body[:len(r.Body):len(r.Body)], ' ') }),
		verify.SignatureMismatch)
	refused(t, v, with(event, func(r *verify.Request) { r.Header.Set("X-Lark-Request-Nonce", "other") }),
		verify.SignatureMismatch)
	refused(t, v, with(event, func(r *verify.Request) { r.Header.Del("X-Lark-Signature") }), verify.SignatureMissing)
	refused(t, v, with(event, func(r *verify.Request) { r.Header.Set("X-Lark-Signature", "zz") }),
		verify.SignatureMalformed)
	// Signed, but not what the key encrypts.
	refused(t, v, larkPost(larkSDKKey, `{"encrypt":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}`),
		verify.SignatureMalformed)
}

func TestLarkChallenges(t *testing.T) {
	t.Parallel()
	sealed := `{"encrypt":"` + larkSDK + `"}`
	for name, c := range map[string]struct {
		key, body string
		signed    bool
		answer    string
	}{
		"encrypted, not signed": {larkSDKKey, sealed, false, `{"challenge":"1212"}`},
		"encrypted and signed":  {larkSDKKey, sealed, true, `{"challenge":"1212"}`},
		"plain": {
			"token", `{"challenge":"ajls384kdjx98XX","token":"token","type":"url_verification"}`, false,
			`{"challenge":"ajls384kdjx98XX"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			request := post(c.body)
			if c.signed {
				request = larkPost(c.key, c.body)
			}
			answer := accepted(t, endpoint{provider: "feishu", keys: []string{c.key}}.compile(t), request).Handshake
			if answer == nil || answer.Status != http.StatusOK || string(answer.Body) != c.answer {
				t.Errorf("answered %+v, want %s", answer, c.answer)
			}
			refused(t, endpoint{provider: "lark", keys: []string{"another"}}.compile(t), request, map[bool]verify.Reason{
				true: verify.SignatureMismatch, false: map[bool]verify.Reason{
					true: verify.SignatureMissing, false: verify.SignatureMismatch}[strings.Contains(c.body, "encrypt")],
			}[c.signed])
		})
	}
}

// Without its signature only the check of an address passes, never an event.
func TestLarkEventsNeedTheirSignature(t *testing.T) {
	t.Parallel()
	v := endpoint{provider: "lark", keys: []string{larkSDKKey}}.compile(t)
	event := larkEvent(t, larkSDKKey, `{"header":{"event_id":"e1","token":"v"},"type":"event_callback"}`)
	refused(t, v, with(event, func(r *verify.Request) { r.Header = http.Header{} }), verify.SignatureMissing)
	var sealed map[string]string
	if err := json.Unmarshal(event.Body, &sealed); err != nil {
		t.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(sealed["encrypt"])
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		raw[i] ^= 1
		refused(t, v, post(`{"encrypt":"`+base64.StdEncoding.EncodeToString(raw)+`"}`), verify.SignatureMissing)
		raw[i] ^= 1
	}
}

func TestLarkWithAVerificationToken(t *testing.T) {
	t.Parallel()
	v := endpoint{provider: "lark", keys: []string{"token"}}.compile(t)
	verdict := accepted(t, v,
		post(`{"schema":"2.0","header":{"event_id":"e1","event_type":"a.b_v1","token":"token"},"event":{}}`))
	if verdict.DeliveryID != "e1" || verdict.EventType != "a.b_v1" {
		t.Errorf("got %+v, want e1 and a.b_v1", verdict)
	}
	accepted(t, v, post(`{"uuid":"u1","token":"token","event":{"type":"message"}}`))
	refused(t, v, post(`{"header":{"event_id":"e1","token":"other"}}`), verify.SignatureMismatch)
	refused(t, v, post(`{"header":{"event_id":"e1"}}`), verify.SignatureMissing)
	refused(t, v, post(`{"token":"x","token":"token"}`), verify.SignatureMissing)
	// The token of version 1 does not stand in for a wrong one of version 2.
	refused(t, v, post(`{"token":"token","header":{"token":"other"}}`), verify.SignatureMismatch)
}
