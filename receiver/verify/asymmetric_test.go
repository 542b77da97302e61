package verify_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"hash/crc32"
	"math/big"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/verify"
)

// signer is an RSA key with a certificate for a provider's name.
type signer struct {
	private     *rsa.PrivateKey
	certificate string
	public      string
}

func newSigner(t testing.TB, name string) signer {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: specialNow.Add(-time.Hour), NotAfter: specialNow.Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	return signer{
		private:     private,
		certificate: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		public:      publicPEM(t, &private.PublicKey),
	}
}

func publicPEM(t testing.TB, public any) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func (s signer) sign(t *testing.T, hash crypto.Hash, message string) string {
	t.Helper()
	h := hash.New()
	h.Write([]byte(message))
	signature, err := rsa.SignPKCS1v15(rand.Reader, s.private, hash, h.Sum(nil))
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(signature)
}

func TestSendGrid(t *testing.T) {
	t.Parallel()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(publicPEM(t, &private.PublicKey)))
	verifier := endpoint{
		provider: "sendgrid", options: map[string]string{"publicKey": base64.StdEncoding.EncodeToString(block.Bytes)},
	}.compile(t)
	const body = "[{\"sg_event_id\":\"e1\",\"event\":\"open\"}]\r\n"
	at := strconv.FormatInt(specialNow.Unix(), 10)
	digest := sha256.Sum256([]byte(at + body))
	signature, err := ecdsa.SignASN1(rand.Reader, private, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	event := post(body, "X-Twilio-Email-Event-Webhook-Signature", base64.StdEncoding.EncodeToString(signature),
		"X-Twilio-Email-Event-Webhook-Timestamp", at)
	if verdict := accepted(t, verifier, event); verdict.DeliveryID != "e1" || verdict.EventType != "open" {
		t.Errorf("got %+v, want id e1 and type open", verdict)
	}
	// The line break at the end of the body is signed.
	refused(t, verifier, with(event, func(r *verify.Request) { r.Body = bytes.TrimSpace(r.Body) }),
		verify.SignatureMismatch)
	refused(t, verifier, with(event, func(r *verify.Request) {
		r.Header.Set("X-Twilio-Email-Event-Webhook-Timestamp", "1")
	}), verify.SignatureMismatch)
	refused(t, verifier, with(event, func(r *verify.Request) {
		r.Header.Del("X-Twilio-Email-Event-Webhook-Timestamp")
	}), verify.TimestampMissing)
	if _, err := (endpoint{provider: "sendgrid"}).tryCompile(); err == nil {
		t.Error("an endpoint without any key compiled")
	}
}

func TestTravis(t *testing.T) {
	t.Parallel()
	s := newSigner(t, "travis")
	const payload = `{"id":1,"state":"passed","message":"a+b c"}`
	build := post(url.Values{"payload": {payload}}.Encode(), "Content-Type", formType,
		"Signature", s.sign(t, crypto.SHA1, payload))
	pinned := endpoint{provider: "travis", options: map[string]string{"publicKey": s.public}}.compile(t)
	accepted(t, pinned, build)
	refused(t, pinned, with(build, func(r *verify.Request) { r.Body = []byte("payload={}") }), verify.SignatureMismatch)
	refused(t, pinned, with(build, func(r *verify.Request) { r.Header.Set("Signature", "!") }), verify.SignatureMalformed)

	published, err := json.Marshal(map[string]any{"config": map[string]any{
		"notifications": map[string]any{"webhook": map[string]any{"public_key": s.public}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	site := newSite(t, map[string]string{"api.travis-ci.com/config": string(published)})
	fetching := endpoint{provider: "travis", fetcher: site.fetcher}.compile(t)
	for range 3 {
		accepted(t, fetching, build)
	}
	if n := site.requests.Load(); n != 1 {
		t.Errorf("the key was fetched %d times for three requests, want once", n)
	}
	unreachable(t, endpoint{provider: "travis"}.compile(t), build)
}

// unreachable fails the test unless the request is neither accepted nor refused.
func unreachable(t *testing.T, verifier verify.Verifier, request *verify.Request) {
	t.Helper()
	_, err := verifier.Verify(t.Context(), request)
	if _, rejected := err.(*verify.Rejection); err == nil || rejected { //nolint:errorlint // exactly this type
		t.Errorf("got %v, want an error that is no verdict", err)
	}
}

func TestPayPal(t *testing.T) {
	t.Parallel()
	s := newSigner(t, "messageverificationcerts.paypal.com")
	const body = `{"id":"WH-1","event_type":"PAYMENT.SALE.COMPLETED"}`
	at := specialNow.UTC().Format(time.RFC3339)
	message := fmt.Sprintf("t-1|%s|hook-1|%d", at, crc32.ChecksumIEEE([]byte(body)))
	sale := post(body, "Paypal-Transmission-Id", "t-1", "Paypal-Transmission-Time", at,
		"Paypal-Cert-Url", "https://api.paypal.com/v1/notifications/certs/CERT-1",
		"Paypal-Auth-Algo", "SHA256withRSA", "Paypal-Transmission-Sig", s.sign(t, crypto.SHA256, message))
	options := map[string]string{"webhookID": "hook-1", "certificate": s.certificate}
	verifier := endpoint{provider: "paypal", options: options}.compile(t)
	if verdict := accepted(t, verifier, sale); verdict.DeliveryID != "t-1" {
		t.Errorf("delivery id %q, want t-1", verdict.DeliveryID)
	}
	refused(t, verifier, with(sale, func(r *verify.Request) { r.Body = []byte("{}") }), verify.SignatureMismatch)
	refused(t, verifier, with(sale, func(r *verify.Request) { r.Header.Set("Paypal-Auth-Algo", "none") }),
		verify.SignatureMalformed)
	for _, foreign := range []string{
		"http://api.paypal.com/c", "https://api.paypal.com.evil.example/c", "https://evilpaypal.com/c",
		"https://api.paypal.com@evil.example/c", "https://api.paypal.com:8443/c", "https://127.0.0.1/c", "",
	} {
		_, err := verifier.Verify(t.Context(), with(sale,
			func(r *verify.Request) { r.Header.Set("Paypal-Cert-Url", foreign) }))
		if _, rejected := err.(*verify.Rejection); !rejected { //nolint:errorlint // exactly this type
			t.Errorf("certificate address %q: got %v, want a rejection", foreign, err)
		}
	}
	fixed := endpoint{provider: "paypal", options: options, tolerance: 60}.compile(t)
	refused(t, fixed, with(sale, func(r *verify.Request) { r.Now = specialNow.Add(2 * time.Minute) }),
		verify.TimestampOutOfTolerance)

	t.Run("a fetched certificate must be trusted", func(t *testing.T) {
		t.Parallel()
		site := newSite(t, map[string]string{"api.paypal.com/v1/notifications/certs/CERT-1": s.certificate})
		untrusted := endpoint{
			provider: "paypal", options: map[string]string{"webhookID": "hook-1"}, fetcher: site.fetcher,
		}.compile(t)
		unreachable(t, untrusted, sale)
	})
	if _, err := (endpoint{provider: "paypal"}).tryCompile(); err == nil || !strings.Contains(err.Error(), "webhookID") {
		t.Errorf("got %v, want an error that names webhookID", err)
	}
}

// snsMessage signs a message as Amazon SNS does.
func snsMessage(t *testing.T, s signer, version string, fields map[string]string) *verify.Request {
	t.Helper()
	var content strings.Builder
	for _, name := range []string{
		"Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type",
	} {
		if value, ok := fields[name]; ok {
			content.WriteString(name + "\n" + value + "\n")
		}
	}
	hash := map[string]crypto.Hash{"1": crypto.SHA1, "2": crypto.SHA256}[version]
	message := map[string]string{
		"Signature": s.sign(t, hash, content.String()), "SignatureVersion": version,
		"SigningCertURL": "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-01ab.pem",
	}
	for name, value := range fields {
		message[name] = value
	}
	body, err := json.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	return post(string(body), "Content-Type", "text/plain; charset=UTF-8")
}

func notification() map[string]string {
	return map[string]string{
		"Type": "Notification", "MessageId": "m-1", "TopicArn": "arn:aws:sns:eu-west-1:1:orders",
		"Message": "line \"one\"\nünd two", "Timestamp": "2026-03-06T19:53:21.424Z",
	}
}

func TestAmazonSNS(t *testing.T) {
	t.Parallel()
	s := newSigner(t, "sns.amazonaws.com")
	verifier := endpoint{provider: "aws-sns", options: map[string]string{
		"certificate": s.certificate, "topicARN": "arn:aws:sns:eu-west-1:1:orders",
	}}.compile(t)
	for _, version := range []string{"1", "2"} {
		request := snsMessage(t, s, version, notification())
		if verdict := accepted(t, verifier, request); verdict.DeliveryID != "m-1" || verdict.Handshake != nil {
			t.Errorf("version %s: got %+v, want delivery m-1", version, verdict)
		}
	}
	replace := func(old, text string) *verify.Request {
		return with(snsMessage(t, s, "2", notification()), func(r *verify.Request) {
			r.Body = bytes.Replace(r.Body, []byte(old), []byte(text), 1)
		})
	}
	refused(t, verifier, replace("two", "three"), verify.SignatureMismatch)
	refused(t, verifier, replace(`"SignatureVersion":"2"`, `"SignatureVersion":"1"`), verify.SignatureMismatch)
	refused(t, verifier, replace(`"SignatureVersion":"2"`, `"SignatureVersion":"3"`), verify.SignatureMalformed)
	refused(t, verifier, replace("sns.eu-west-1.amazonaws.com", "sns.eu-west-1.amazonaws.com.evil.example"),
		verify.SignatureMalformed)
	refused(t, verifier, replace("01ab.pem", "01ab.txt"), verify.SignatureMalformed)
	// Two parsers could disagree about which of the two is meant.
	refused(t, verifier, replace(`{`, `{"Message":"forged",`), verify.SignatureMalformed)
	refused(t, verifier, post("{}"), verify.SignatureMissing)
	foreign := notification()
	foreign["TopicArn"] = "arn:aws:sns:eu-west-1:2:orders"
	refused(t, verifier, snsMessage(t, s, "2", foreign), verify.SignatureMismatch)
}

func TestAmazonSNSConfirmation(t *testing.T) {
	t.Parallel()
	s := newSigner(t, "sns.amazonaws.com")
	const path = "/?Action=ConfirmSubscription&Token=t"
	site := newSite(t, map[string]string{"sns.eu-west-1.amazonaws.com" + path: "<ok/>"})
	e := endpoint{provider: "aws-sns", options: map[string]string{"certificate": s.certificate}, fetcher: site.fetcher}
	verifier := e.compile(t)
	confirmation := func(address string) *verify.Request {
		fields := notification()
		fields["Type"], fields["Token"], fields["SubscribeURL"] = "SubscriptionConfirmation", "t", address
		return snsMessage(t, s, "2", fields)
	}
	verdict := accepted(t, verifier, confirmation("https://sns.eu-west-1.amazonaws.com"+path))
	if verdict.Handshake == nil || verdict.Handshake.Status != http.StatusOK || site.requests.Load() != 1 {
		t.Errorf("got %+v after %d visits, want a handshake after one", verdict, site.requests.Load())
	}
	refused(t, verifier, confirmation("https://evil.example"+path), verify.SignatureMalformed)
	refused(t, verifier, confirmation("https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe"),
		verify.SignatureMalformed)
	unreachable(t, verifier, confirmation("https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription"))
	tampered := with(confirmation("https://sns.eu-west-1.amazonaws.com"+path), func(r *verify.Request) {
		r.Body = bytes.Replace(r.Body, []byte("m-1"), []byte("m-2"), 1)
	})
	refused(t, verifier, tampered, verify.SignatureMismatch)
	if n := site.requests.Load(); n != 2 {
		t.Errorf("%d visits, want 2: a refused confirmation visits nothing", n)
	}
	e.fetcher = nil
	offline := accepted(t, e.compile(t), confirmation("https://sns.eu-west-1.amazonaws.com"+path))
	if offline.Handshake == nil {
		t.Error("offline, the confirmation is no handshake")
	}
}
