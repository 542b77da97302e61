package verify_test

import (
	"crypto"
	"crypto/ed25519"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/body"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/verify"
)

// forgedSNS is a message that names a certificate nobody published.
func forgedSNS(certificate string) *verify.Request {
	return post(`{"Type":"Notification","MessageId":"1","Message":"m","TopicArn":"t","Timestamp":"2026-01-01T00:00:00Z",` +
		`"Signature":"AAAA","SignatureVersion":"2","SigningCertURL":"https://` + certificate + `"}`)
}

// TestForgedMessagesLeaveOthersTheirKeys: messages that name ever new
// certificates use up what their own endpoint may fetch, and no other's.
func TestForgedMessagesLeaveOthersTheirKeys(t *testing.T) {
	t.Parallel()
	google := newIssuer(t)
	site := newSite(t, map[string]string{googleAddress: google.jwks})
	attacked := endpoint{provider: "aws-sns", fetcher: site.fetcher.For("a")}.compile(t)
	victim := pubSub(t, site.fetcher.For("b"))
	for i := range 70 {
		unreachable(t, attacked, forgedSNS(fmt.Sprintf("sns.eu-west-1.amazonaws.com/SimpleNotificationService-%032x.pem", i)))
		unreachable(t, attacked, forgedSNS(fmt.Sprintf("sns.xx-west-%d.amazonaws.com/SimpleNotificationService-01.pem", i)))
	}
	accepted(t, victim, bearerPost(google.token(t, googleClaims())))
	if n := site.requests.Load(); n > 40 {
		t.Errorf("%d fetches for 140 forged messages, want a bounded number", n)
	}
	for _, path := range []string{"c.pem", "SimpleNotificationService-01ab.txt", "a/SimpleNotificationService-01ab.pem",
		"SimpleNotificationService-01ab.pem?x=1", "SimpleNotificationService-..%2f.pem", "SimpleNotificationService-.pem"} {
		refused(t, attacked, forgedSNS("sns.eu-west-1.amazonaws.com/"+path), verify.SignatureMalformed)
	}
}

// TestFailuresEvictNoKey: a key that was fetched outlives addresses that fail,
// and is renewed while they use up the limits.
func TestFailuresEvictNoKey(t *testing.T) {
	t.Parallel()
	google := newIssuer(t)
	site := newSite(t, map[string]string{googleAddress: google.jwks})
	own := site.fetcher.For("a")
	push := bearerPost(google.token(t, changed(googleClaims(), "exp", specialNow.Add(3*time.Hour).Unix())))
	victim, attacked := pubSub(t, own), endpoint{provider: "aws-sns", fetcher: own}.compile(t)
	accepted(t, victim, push)
	for i := range 200 {
		unreachable(t, attacked, forgedSNS(fmt.Sprintf("sns.eu-west-1.amazonaws.com/SimpleNotificationService-%032x.pem", i)))
	}
	before := site.requests.Load()
	accepted(t, victim, push)
	if n := site.requests.Load(); n != before {
		t.Errorf("%d more fetches, want the key that was kept", n-before)
	}
	accepted(t, victim, at(push, 2*time.Hour))
	if n := site.requests.Load(); n != before+1 {
		t.Errorf("%d more fetches, want one of the key that grew old", n-before)
	}
}

func TestKeepForgetsEndpoints(t *testing.T) {
	t.Parallel()
	site := newSite(t, nil)
	first := site.fetcher.For("a")
	site.fetcher.Keep(func(string) bool { return true })
	if site.fetcher.For("a") != first {
		t.Error("an endpoint that is known lost its fetcher")
	}
	site.fetcher.Keep(func(string) bool { return false })
	if site.fetcher.For("a") == first {
		t.Error("an endpoint that is gone has its fetcher still")
	}
}

// standardPublic is an endpoint with public keys, and a request with the given
// number of signatures, none of which holds.
func standardPublic(t testing.TB, signatures int) (verify.Verifier, *verify.Request) {
	t.Helper()
	var keys []string
	for i := range 8 {
		seed := []byte(strings.Repeat(string(rune('a'+i)), ed25519.SeedSize))
		public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
		keys = append(keys, "whpk_"+base64.StdEncoding.EncodeToString(public))
	}
	forged := "v1a," + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\x01", ed25519.SignatureSize)))
	request := post(strings.Repeat("x", 1<<20), "webhook-id", "m", "webhook-timestamp", fmt.Sprint(specialNow.Unix()),
		"webhook-signature", strings.Repeat(forged+" ", signatures))
	return endpoint{provider: "standard-webhooks", keys: keys}.compile(t), request
}

// TestForgedAsymmetricSignaturesAreFew: each of them makes every key hash the
// whole body, so a request may have four.
func TestForgedAsymmetricSignaturesAreFew(t *testing.T) {
	t.Parallel()
	v, request := standardPublic(t, 4)
	refused(t, v, request, verify.SignatureMismatch)
	v, request = standardPublic(t, 5)
	refused(t, v, request, verify.SignatureMalformed)
	v, request = standardPublic(t, 100)
	refused(t, v, request, verify.SignatureMalformed)
}

// BenchmarkForgedAsymmetric is the most that one forged request of 1 MiB costs.
func BenchmarkForgedAsymmetric(b *testing.B) {
	v, request := standardPublic(b, 4)
	for b.Loop() {
		if _, err := v.Verify(b.Context(), request); err == nil {
			b.Fatal("a forged request is accepted")
		}
	}
}

// TestTimeIsCheckedBeforeTheKeys: where signatures are costly, an old request is
// refused for its time before any is tried.
func TestTimeIsCheckedBeforeTheKeys(t *testing.T) {
	t.Parallel()
	v, request := standardPublic(t, 4)
	refused(t, v, at(request, time.Hour), verify.TimestampOutOfTolerance)
}

// TestTheCopyForEd25519IsReserved: the library wants the signed text in one
// piece, so the copy of the body counts like all memory of a request.
func TestTheCopyForEd25519IsReserved(t *testing.T) {
	t.Parallel()
	v, request := standardPublic(t, 1)
	var asked int64
	request.Reader = body.NewReader(request.Header, request.Body, body.Options{Reserve: func(n int64) bool {
		asked += n
		return false
	}})
	_, err := v.Verify(t.Context(), request)
	if !errors.Is(err, body.ErrNoMemory) || asked != 1<<20 {
		t.Errorf("got %v after %d bytes were asked for, want %v and those of the body", err, asked, body.ErrNoMemory)
	}
}

// TestTwilioDigestIsTheLastParameter: the text of a message, which is signed
// behind the URL, cannot be moved into the URL to forge a body.
func TestTwilioDigestIsTheLastParameter(t *testing.T) {
	t.Parallel()
	const configured = "https://h.example/t?a=1"
	evil := `{"amount":1000000}`
	digest := hexDigest(evil)
	text := "hi&bodySHA256=" + digest + "&x="
	form := "Body=" + strings.NewReplacer("&", "%26", "=", "%3D").Replace(text) + "&To=%2B2"
	signed := configured + "Body" + text + "To+2"
	v := endpoint{provider: "twilio", keys: []string{"k"}, url: configured}.compile(t)
	signature := signSHA1("k", signed)
	genuine := post(form, "Content-Type", formType, "X-Twilio-Signature", signature)
	genuine.RawQuery = "a=1"
	accepted(t, v, genuine)
	moved := post(evil, "Content-Type", "application/json", "X-Twilio-Signature", signature)
	moved.RawQuery = strings.TrimPrefix(signed, "https://h.example/t?")
	if verdict, err := v.Verify(t.Context(), moved); err == nil {
		t.Errorf("a forged body is accepted: %+v", verdict)
	}
	for name, change := range map[string]func(*verify.Request){
		"not the last":    func(r *verify.Request) { r.RawQuery = "bodySHA256=" + digest + "&a=1" },
		"twice":           func(r *verify.Request) { r.RawQuery = "bodySHA256=" + digest + "&bodySHA256=" + digest },
		"a form":          func(r *verify.Request) { r.Header.Set("Content-Type", formType) },
		"no body":         func(r *verify.Request) { r.Body = nil },
		"no body, a form": func(r *verify.Request) { r.Body = nil; r.Header.Set("Content-Type", formType) },
	} {
		request := post(evil, "Content-Type", "application/json")
		request.RawQuery = "a=1&bodySHA256=" + digest
		change(request)
		request.Header.Set("X-Twilio-Signature", signSHA1("k", "https://h.example/t?"+request.RawQuery))
		if verdict, err := v.Verify(t.Context(), request); err == nil {
			t.Errorf("%s: accepted %+v", name, verdict)
		}
	}
}

// TestPayPalTransmissionIsTheEvent: a body of the same checksum carries another
// id, so the id is that of the transmission, and the body counts as not signed.
func TestPayPalTransmissionIsTheEvent(t *testing.T) {
	t.Parallel()
	p, _ := verify.Lookup("paypal")
	if p.BodySigned || p.DeliveryID != "{header:Paypal-Transmission-Id}" || p.Tolerance < p.Retries.For || p.Tolerance == 0 {
		t.Errorf("body signed %t, id %s, tolerance %s", p.BodySigned, p.DeliveryID, p.Tolerance)
	}
	s := newSigner(t, "messageverificationcerts.paypal.com")
	options := map[string]string{"webhookID": "hook-1", "certificate": s.certificate}
	v := endpoint{provider: "paypal", options: options}.compile(t)
	capture := payPalRequest(t, s, specialNow, `{"id":"WH-1"}`)
	forged := with(capture, func(r *verify.Request) { r.Body = sameChecksum(`{"id":"WH-2","amount":"1000000"}`, r.Body) })
	one, two := accepted(t, v, capture), accepted(t, v, forged)
	if one.DeliveryID != two.DeliveryID || one.DeliveryID != "t-1" {
		t.Errorf("delivery ids %q and %q, want t-1 for both", one.DeliveryID, two.DeliveryID)
	}
	refused(t, v, at(forged, 400*24*time.Hour), verify.TimestampOutOfTolerance)
	// A pinned certificate that has expired verifies nothing, a bare key has no dates.
	expired := payPalRequest(t, s, specialNow.Add(2*time.Hour), `{}`)
	refused(t, v, expired, verify.SignatureMismatch)
	options = map[string]string{"webhookID": "hook-1", "publicKey": s.public}
	accepted(t, endpoint{provider: "paypal", options: options}.compile(t), expired)
}

func TestTokensOfOtherAccounts(t *testing.T) {
	t.Parallel()
	google := newIssuer(t)
	for provider, message := range map[string]string{
		"google-pubsub": "any Google account", "azure-event-grid": "any other application",
	} {
		options := map[string]string{"audience": "https://hooks.example.com", "jwks": google.jwks}
		if provider == "azure-event-grid" {
			options["tenantID"] = "t"
		}
		_, err := verify.Compile(verify.Config{Source: route.Source{Provider: provider, Options: options}})
		if err == nil || !strings.Contains(err.Error(), message) {
			t.Errorf("%s: got %v, want an error that says that %s passes", provider, err, message)
		}
	}
	v := pubSub(t, newSite(t, map[string]string{googleAddress: google.jwks}).fetcher)
	for _, claims := range []map[string]any{
		changed(googleClaims(), "email", "evil@example.com"), changed(googleClaims(), "email", nil),
		changed(googleClaims(), "email_verified", false),
	} {
		refused(t, v, bearerPost(google.token(t, claims)), verify.SignatureMismatch)
	}
}

func hexDigest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func signSHA1(key, content string) string {
	return base64.StdEncoding.EncodeToString(mac(sha1.New, key, content))
}

// payPalRequest is signed as PayPal signs, and arrives at once.
func payPalRequest(t *testing.T, s signer, at time.Time, text string) *verify.Request {
	t.Helper()
	sent := at.UTC().Format(time.RFC3339)
	message := fmt.Sprintf("t-1|%s|hook-1|%d", sent, crc32.ChecksumIEEE([]byte(text)))
	request := post(text, "Paypal-Transmission-Id", "t-1", "Paypal-Transmission-Time", sent,
		"Paypal-Cert-Url", "https://api.paypal.com/v1/notifications/certs/CERT-1",
		"Paypal-Auth-Algo", "SHA256withRSA", "Paypal-Transmission-Sig", s.sign(t, crypto.SHA256, message))
	request.Now = at
	return request
}

// sameChecksum returns the text with four bytes more, so that its CRC-32 is that
// of the other text.
func sameChecksum(text string, other []byte) []byte {
	table := crc32.MakeTable(crc32.IEEE)
	want := ^crc32.ChecksumIEEE(other)
	for range 4 { // back through the last four steps, whose bytes are zero
		index := 0
		for i, entry := range table {
			if entry>>24 == want>>24 {
				index = i
			}
		}
		want = (want^table[index])<<8 | uint32(index)
	}
	var tail [4]byte
	binary.LittleEndian.PutUint32(tail[:], want^^crc32.ChecksumIEEE([]byte(text)))
	return append([]byte(text), tail[:]...)
}
