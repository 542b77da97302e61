package verify_test

import (
	"crypto/sha1" // what Cloudinary uses by default
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/verify"
)

// The values of the tests of Cloudinary's own libraries, for example
// cloudinary_php/tests/Unit/Utils/SignatureVerifierTest.php.
const (
	cloudinaryKey       = "X7qLTrsES31MzxxkxPPA-pAGGfU"
	cloudinaryTime      = "1549533514"
	cloudinarySignature = "dfe82de1d9083fe0b7ea68070649f9a15b8874da"
	cloudinaryBody      = `{"notification_type":"eager","eager":[{"transformation":"sp_full_hd/mp4","bytes":1055,` +
		`"url":"http://res.cloudinary.com/demo/video/upload/sp_full_hd/v1533125278/dog.mp4",` +
		`"secure_url":"https://res.cloudinary.com/demo/video/upload/sp_full_hd/v1533125278/dog.mp4"}],` +
		`"public_id":"dog","batch_id":"9b11fa058c61fa577f4ec516bf6ee756ac2aefef095af99aef1302142cc1694a"}`
)

func cloudinaryPost(signature, at string, now time.Time) *verify.Request {
	return with(post(cloudinaryBody, "X-Cld-Signature", signature, "X-Cld-Timestamp", at),
		func(r *verify.Request) { r.Now = now })
}

func TestCloudinary(t *testing.T) {
	t.Parallel()
	v := endpoint{provider: "cloudinary", keys: []string{"old", cloudinaryKey}}.compile(t)
	now := time.Unix(1549533574, 0)
	good := cloudinaryPost(cloudinarySignature, cloudinaryTime, now)
	if verdict := accepted(t, v, good); verdict.KeyName != "key1" || verdict.EventType != "eager" {
		t.Errorf("got %+v, want key1 and eager", verdict)
	}
	long := sha256.Sum256([]byte(cloudinaryBody + cloudinaryTime + cloudinaryKey))
	accepted(t, v, cloudinaryPost(hex.EncodeToString(long[:]), cloudinaryTime, now))
	for name, c := range map[string]struct {
		change func(*verify.Request)
		reason verify.Reason
	}{
		"another body": {func(r *verify.Request) { r.Body = []byte("{}") }, verify.SignatureMismatch},
		"another time": {
			func(r *verify.Request) { r.Header.Set("X-Cld-Timestamp", "1549533515") }, verify.SignatureMismatch},
		"no signature": {func(r *verify.Request) { r.Header.Del("X-Cld-Signature") }, verify.SignatureMissing},
		"no time":      {func(r *verify.Request) { r.Header.Del("X-Cld-Timestamp") }, verify.TimestampMissing},
		"upper half of a SHA-256": {
			func(r *verify.Request) { r.Header.Set("X-Cld-Signature", hex.EncodeToString(long[:16])) },
			verify.SignatureMalformed,
		},
		"two hours and more later": {
			func(r *verify.Request) { r.Now = time.Unix(1549533515+7200, 0) }, verify.TimestampOutOfTolerance},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refused(t, v, with(good, c.change), c.reason)
		})
	}
	accepted(t, v, with(good, func(r *verify.Request) { r.Now = time.Unix(1549533514+7200, 0) }))

	// A digit that moves from the time into the body leaves the hash as it is,
	// and a time of long ago.
	moved := with(good, func(r *verify.Request) {
		r.Body = []byte(cloudinaryBody + "1")
		r.Header.Set("X-Cld-Timestamp", cloudinaryTime[1:])
	})
	refused(t, v, moved, verify.TimestampOutOfTolerance)
}

// TestKeysAreNoSignatures: a digest without the key is refused, and one of the key alone.
func TestKeysAreNoSignatures(t *testing.T) {
	t.Parallel()
	v := endpoint{provider: "cloudinary", keys: []string{cloudinaryKey}}.compile(t)
	for _, content := range []string{cloudinaryBody + cloudinaryTime, cloudinaryKey, "", cloudinaryKey + cloudinaryBody} {
		sum := sha1.Sum([]byte(content)) // as above
		refused(t, v, cloudinaryPost(hex.EncodeToString(sum[:]), cloudinaryTime, time.Unix(1549533574, 0)),
			verify.SignatureMismatch)
	}
}

func TestMollie(t *testing.T) {
	t.Parallel()
	v := endpoint{provider: "mollie", keys: []string{"signing", "classic"}}.compile(t)
	// The payload of mollie/mollie-api-php, tests/Webhooks/SignatureValidatorTest.php.
	const body = `{"id":"tr_12345","event_type":"payment-link.paid"}`
	signature := hex.EncodeToString(mac(sha256.New, "signing", body))
	for _, prefix := range []string{"sha256=", ""} {
		verdict := accepted(t, v, post(body, "X-Mollie-Signature", prefix+signature))
		if verdict.KeyName != "key0" || verdict.DeliveryID != "tr_12345" {
			t.Errorf("got %+v, want key0 and tr_12345", verdict)
		}
	}
	refused(t, v, post(body+" ", "X-Mollie-Signature", signature), verify.SignatureMismatch)
	refused(t, v, post(body, "X-Mollie-Signature", "sha512="+signature), verify.SignatureMalformed)
	refused(t, v, post(body), verify.SignatureMissing)

	classic := post("id=tr_d0b0E3EA3v", "Content-Type", formType)
	classic.RawQuery = "secret=classic"
	if verdict := accepted(t, v, classic); verdict.KeyName != "key1" || verdict.DeliveryID != "" {
		t.Errorf("got %+v, want key1 and no id: the payment's id is none of an event", verdict)
	}
	refused(t, v, with(classic, func(r *verify.Request) { r.RawQuery = "secret=x" }), verify.SignatureMismatch)
	// The URL's secret does not stand in for a signature that is wrong.
	refused(t, v, with(classic, func(r *verify.Request) { r.Header.Set("X-Mollie-Signature", signature) }),
		verify.SignatureMismatch)
	parameters := v.(verify.QueryCredentials).CredentialParameters()
	if len(parameters) != 1 || parameters[0] != "secret" {
		t.Errorf("credential parameters %v, want secret", parameters)
	}
}

func TestCredentialsOfTheUsersChoice(t *testing.T) {
	t.Parallel()
	const basic = "Basic dXNlcjpwYXNz" // user:pass
	for name, c := range map[string]struct {
		keys    []string
		options map[string]string
		headers []string
		reason  verify.Reason // empty: accepted
	}{
		"basic":                     {[]string{"user:pass"}, nil, []string{"Authorization", basic}, ""},
		"bearer":                    {[]string{"t0ken"}, nil, []string{"Authorization", "Bearer t0ken"}, ""},
		"both, basic":               {[]string{"t0ken", "user:pass"}, nil, []string{"Authorization", basic}, ""},
		"both, bearer":              {[]string{"t0ken", "user:pass"}, nil, []string{"Authorization", "Bearer t0ken"}, ""},
		"header":                    {[]string{"a:b"}, map[string]string{"header": "X-Own"}, []string{"X-Own", "a:b"}, ""},
		"wrong password":            {[]string{"user:other"}, nil, []string{"Authorization", basic}, verify.SignatureMismatch},
		"wrong token":               {[]string{"t0ken"}, nil, []string{"Authorization", "Bearer x"}, verify.SignatureMismatch},
		"nothing":                   {[]string{"t0ken", "user:pass"}, nil, nil, verify.SignatureMissing},
		"basic, bearer is expected": {[]string{"t0ken"}, nil, []string{"Authorization", basic}, verify.SignatureMalformed},
		"password as a token": {
			[]string{"user:pass"}, nil, []string{"Authorization", "Bearer user:pass"}, verify.SignatureMalformed},
		"another header": {
			[]string{"k"}, map[string]string{"header": "X-Own"}, []string{"Authorization", "k"}, verify.SignatureMissing},
	} {
		for _, provider := range []string{"alertmanager", "azure-devops"} {
			t.Run(provider+"/"+name, func(t *testing.T) {
				t.Parallel()
				v := endpoint{provider: provider, keys: c.keys, options: c.options}.compile(t)
				request := post(`{"id":"e1","eventType":"git.push","status":"firing"}`, c.headers...)
				if c.reason != "" {
					refused(t, v, request, c.reason)
					return
				}
				accepted(t, v, request)
				want := "Authorization"
				if c.options != nil {
					want = "X-Own"
				}
				for _, name := range v.CredentialHeaders() {
					if name != want {
						t.Errorf("credential header %s, want %s", name, want)
					}
				}
				if len(v.CredentialHeaders()) == 0 {
					t.Error("the credential is forwarded")
				}
			})
		}
	}
	bad := endpoint{provider: "azure-devops", keys: []string{"k"}, options: map[string]string{"header": "a b"}}
	if _, err := bad.tryCompile(); err == nil {
		t.Error("a header with a space compiled")
	}
}

func TestTokensInBodies(t *testing.T) {
	t.Parallel()
	for provider, c := range map[string]struct{ good, wrong, without string }{
		"aircall": {
			`{"resource":"call","event":"call.created","token":"secret"}`, `{"event":"call.created","token":"x"}`,
			`{"event":"call.created"}`,
		},
		"sharepoint": {
			`{"value":[{"subscriptionId":"s","clientState":"secret"}]}`, `{"value":[{"clientState":"x"}]}`, `{"value":[{}]}`,
		},
	} {
		t.Run(provider, func(t *testing.T) {
			t.Parallel()
			v := endpoint{provider: provider, keys: []string{"secret"}}.compile(t)
			accepted(t, v, post(c.good, "Content-Type", "application/json"))
			accepted(t, v, post("\ufeff"+c.good, "Content-Type", "application/json"))
			refused(t, v, post(c.wrong, "Content-Type", "application/json"), verify.SignatureMismatch)
			refused(t, v, post(c.without, "Content-Type", "application/json"), verify.SignatureMissing)
		})
	}
	validation := &verify.Request{Method: http.MethodPost, RawQuery: "validationtoken=a%20b", Header: http.Header{}}
	answer := accepted(t, endpoint{provider: "sharepoint", keys: []string{"s"}}.compile(t), validation).Handshake
	if answer == nil || string(answer.Body) != "a b" {
		t.Errorf("validationtoken was answered %+v", answer)
	}
}
