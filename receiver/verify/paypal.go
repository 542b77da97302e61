package verify

import (
	"context"
	"crypto"
	"fmt"
	"hash/crc32"
	"regexp"
	"strings"
	"time"
)

// payPal judges RSA-SHA256 signatures over transmission id, time, the
// configured webhook id and the checksum of the body. Anybody can make another
// body of the same checksum, so what is signed is the transmission, and its id
// is the delivery id.
type payPal struct {
	certificates *certificates
	webhookID    string
	tolerance    tolerance
}

// The addresses of PayPal's certificates, live and in the sandbox.
var (
	payPalHost = regexp.MustCompile(`^([a-z0-9-]+\.)+paypal\.com$`)
	payPalPath = regexp.MustCompile(`^/v1/notifications/certs/[A-Za-z0-9_-]{1,128}$`)
)

func newPayPal(m material) (judge, error) {
	c, err := newCertificates(m, payPalHost, payPalPath, ".paypal.com")
	if err != nil {
		return nil, err
	}
	c.dated = true
	return &payPal{certificates: c, webhookID: m.options["webhookID"], tolerance: m.tolerance}, nil
}

func (j *payPal) judge(ctx context.Context, request *Request) (proof, error) {
	var sent [5]string
	for i, name := range [...]string{
		"Paypal-Transmission-Sig", "Paypal-Transmission-Id", "Paypal-Transmission-Time", "Paypal-Cert-Url",
		"Paypal-Auth-Algo",
	} {
		missing := SignatureMissing
		if i == 2 {
			missing = TimestampMissing
		}
		text, err := request.onceHeader(name, missing)
		if err != nil {
			return proof{}, err
		}
		sent[i] = text
	}
	signature, err := strictBase64.DecodeString(sent[0])
	if err != nil {
		return proof{}, refuse(SignatureMalformed, "header Paypal-Transmission-Sig is not base64")
	}
	if !strings.EqualFold(sent[4], "SHA256withRSA") {
		return proof{}, refuse(SignatureMalformed, "header Paypal-Auth-Algo must be SHA256withRSA")
	}
	at, err := time.Parse(time.RFC3339, sent[2])
	if err != nil {
		return proof{}, refuse(TimestampMissing, "header Paypal-Transmission-Time is not an RFC 3339 time")
	}
	if err := j.tolerance.check(at, request.Now); err != nil {
		return proof{}, err
	}
	keys, err := j.certificates.keys(ctx, sent[3], request.Now)
	if err != nil {
		return proof{}, err
	}
	message := fmt.Sprintf("%s|%s|%s|%d", sent[1], sent[2], j.webhookID, crc32.ChecksumIEEE(request.Body))
	name, ok := signedRSA(keys, crypto.SHA256, []byte(message), signature)
	if !ok {
		return proof{}, refuse(SignatureMismatch, "the certificate does not verify the signature for this webhookID")
	}
	return proof{key: name, id: sent[1], signedTime: sent[2]}, nil
}
