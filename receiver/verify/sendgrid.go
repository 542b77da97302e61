package verify

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"

	"github.com/postern-dev/postern/receiver/route"
)

// sendGrid judges ECDSA signatures over timestamp and body.
type sendGrid struct {
	keys      []ecdsaKey
	tolerance tolerance
}

type ecdsaKey struct {
	name   string
	public *ecdsa.PublicKey
}

const (
	sendGridSignature = "X-Twilio-Email-Event-Webhook-Signature"
	sendGridTimestamp = "X-Twilio-Email-Event-Webhook-Timestamp"
)

func newSendGrid(m material) (judge, error) {
	j := &sendGrid{tolerance: m.tolerance}
	for _, k := range m.keys {
		public, err := parseECDSA(k)
		if err != nil {
			return nil, err
		}
		j.keys = append(j.keys, ecdsaKey{k.name, public})
	}
	return j, needKeys(len(j.keys), "publicKey")
}

func (j *sendGrid) judge(_ context.Context, request *Request) (proof, error) {
	text, err := request.proofHeader(sendGridSignature)
	if err != nil {
		return proof{}, err
	}
	signature, err := strictBase64.DecodeString(text)
	if err != nil {
		return proof{}, refusef(SignatureMalformed, "header %s is not base64", sendGridSignature)
	}
	at, err := request.timeHeader(sendGridTimestamp)
	if err != nil {
		return proof{}, err
	}
	signed, ok := parseTimestamp(at, route.UnitSeconds)
	if !ok {
		return proof{}, refusef(TimestampMissing, "header %s is not a time in seconds", sendGridTimestamp)
	}
	// The time costs nothing, so it goes before the keys.
	if err := j.tolerance.check(signed, request.Now); err != nil {
		return proof{}, err
	}
	hash := sha256.New()
	hash.Write([]byte(at))
	hash.Write(request.Body)
	digest := hash.Sum(nil)
	for _, k := range j.keys {
		if ecdsa.VerifyASN1(k.public, digest, signature) {
			return proof{key: k.name, signedTime: at}, nil
		}
	}
	return proof{}, refuse(SignatureMismatch, "no active public key verifies the signature")
}
