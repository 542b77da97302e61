package sign

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"hash/crc32"
	"net/url"
	"strings"
	"time"

	"github.com/postern-dev/postern/receiver/route"
)

// Providers that sign with a private key. The secret is a PEM key of one's
// own; the endpoint pins its public half.

// privateKey reads a PEM key in any of the usual forms.
func privateKey[K crypto.Signer](secret route.SecretBytes, kind string) (K, error) {
	var none K
	block, _ := pem.Decode(secret)
	if block == nil {
		return none, fmt.Errorf("sign: the secret must be a PEM private key (%s) whose public half the endpoint pins", kind)
	}
	var key any
	var err error
	switch block.Type {
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	default:
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	}
	if err != nil {
		return none, errors.New("sign: the PEM private key does not parse")
	}
	private, ok := key.(K)
	if !ok {
		return none, fmt.Errorf("sign: the private key must be %s", kind)
	}
	return private, nil
}

// rsaSignature is PKCS #1 v1.5 over the content, as base64.
func rsaSignature(secret route.SecretBytes, hash crypto.Hash, content string) (string, error) {
	private, err := privateKey[*rsa.PrivateKey](secret, "RSA")
	if err != nil {
		return "", err
	}
	h := hash.New()
	h.Write([]byte(content))
	signature, err := rsa.SignPKCS1v15(rand.Reader, private, hash, h.Sum(nil))
	return base64.StdEncoding.EncodeToString(signature), err
}

// signSendGrid signs timestamp and body with ECDSA.
func signSendGrid(d *draft, event Event) (*Request, error) {
	private, err := privateKey[*ecdsa.PrivateKey](event.Secret, "ECDSA")
	if err != nil {
		return nil, err
	}
	at := fmt.Sprint(d.now.Unix())
	h := crypto.SHA256.New()
	h.Write([]byte(at))
	h.Write(d.body)
	signature, err := ecdsa.SignASN1(rand.Reader, private, h.Sum(nil))
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	d.header.Set("X-Twilio-Email-Event-Webhook-Timestamp", at)
	d.header.Set("X-Twilio-Email-Event-Webhook-Signature", base64.StdEncoding.EncodeToString(signature))
	return d.request(), nil
}

// signTravis signs the form parameter payload.
func signTravis(d *draft, event Event) (*Request, error) {
	signature, err := rsaSignature(event.Secret, crypto.SHA1, string(d.body))
	if err != nil {
		return nil, err
	}
	d.body = []byte(url.Values{"payload": {string(d.body)}}.Encode())
	d.header.Set("Content-Type", formType)
	d.header.Set("Signature", signature)
	return d.request(), nil
}

// signPayPal signs id, time, webhook id and checksum of the body.
func signPayPal(d *draft, event Event) (*Request, error) {
	webhook := event.Options["webhookID"]
	if webhook == "" {
		return nil, errors.New("sign: paypal needs the option webhookID, which is signed")
	}
	at := d.now.UTC().Format(time.RFC3339)
	content := fmt.Sprintf("%s|%s|%s|%d", d.id, at, webhook, crc32.ChecksumIEEE(d.body))
	signature, err := rsaSignature(event.Secret, crypto.SHA256, content)
	if err != nil {
		return nil, err
	}
	for name, value := range map[string]string{
		"Paypal-Transmission-Id": d.id, "Paypal-Transmission-Time": at, "Paypal-Transmission-Sig": signature,
		"Paypal-Cert-Url":  "https://api.paypal.com/v1/notifications/certs/CERT-postern-send",
		"Paypal-Auth-Algo": "SHA256withRSA",
	} {
		d.header.Set(name, value)
	}
	return d.request(), nil
}

// snsSigned are the members that a notification's signature covers, in order.
var snsSigned = []string{"Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"}

// signSNS signs a notification with SignatureVersion 2.
func signSNS(d *draft, event Event) (*Request, error) {
	if event.Body != nil {
		return d.request(), nil
	}
	var message map[string]string
	if err := json.Unmarshal(d.body, &message); err != nil {
		return nil, fmt.Errorf("sign: the sample body is no notification: %w", err)
	}
	message["Type"], message["MessageId"] = "Notification", d.id
	message["Timestamp"] = d.now.UTC().Format("2006-01-02T15:04:05.000Z")
	message["TopicArn"] = firstOf(event.Options["topicARN"], message["TopicArn"])
	var content strings.Builder
	for _, name := range snsSigned {
		if value, ok := message[name]; ok {
			content.WriteString(name + "\n" + value + "\n")
		}
	}
	signature, err := rsaSignature(event.Secret, crypto.SHA256, content.String())
	if err != nil {
		return nil, err
	}
	message["Signature"], message["SignatureVersion"] = signature, "2"
	message["SigningCertURL"] = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"
	d.header.Set("Content-Type", "text/plain; charset=UTF-8")
	d.header.Set("X-Amz-Sns-Message-Type", message["Type"])
	d.body, err = json.Marshal(message)
	return d.request(), err
}
