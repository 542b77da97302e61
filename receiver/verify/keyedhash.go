package verify

import (
	"context"
	"crypto/sha1" //nolint:gosec // what the provider signs with by default
	"crypto/sha256"
	"hash"

	"github.com/postern-dev/postern/receiver/route"
)

// keyedHash judges a plain hash over parts of the request with the key among
// them, in the place of an HMAC.
type keyedHash struct {
	keys      []key
	tolerance tolerance
	signature string
	timestamp string
	// content returns what is hashed, with the key where the provider puts it.
	content func(request *Request, key, timestamp string) [][]byte
	// hashes are the possible ones; the length of the signature tells which.
	hashes []func() hash.Hash
}

const (
	cloudinarySignature = "X-Cld-Signature"
	cloudinaryTimestamp = "X-Cld-Timestamp"
)

// newCloudinary judges a hash of body, time and API secret, which is SHA-1 or,
// where the account is set so, SHA-256.
func newCloudinary(m material) (judge, error) {
	return &keyedHash{
		keys: m.keys, tolerance: m.tolerance, signature: cloudinarySignature, timestamp: cloudinaryTimestamp,
		content: func(request *Request, key, timestamp string) [][]byte {
			return [][]byte{request.Body, []byte(timestamp), []byte(key)}
		},
		hashes: []func() hash.Hash{sha1.New, sha256.New},
	}, nil
}

func (j *keyedHash) judge(_ context.Context, request *Request) (proof, error) {
	text, err := request.proofHeader(j.signature)
	if err != nil {
		return proof{}, err
	}
	at, err := request.timeHeader(j.timestamp)
	if err != nil {
		return proof{}, err
	}
	var room [maxSignature]byte
	for _, newHash := range j.hashes {
		h := newHash()
		sent := room[:h.Size()]
		if !decodeExactly(sent, route.EncodingHex, []byte(text)) {
			continue
		}
		return j.match(request, h, sent, at)
	}
	return proof{}, refusef(SignatureMalformed, "header %s is not the hexadecimal text of a digest", j.signature)
}

// match finds the key of the signature and then judges the time.
func (j *keyedHash) match(request *Request, h hash.Hash, sent []byte, at string) (proof, error) {
	for _, k := range j.keys {
		h.Reset()
		for _, piece := range j.content(request, k.text, at) {
			h.Write(piece)
		}
		if !secretEqual(h.Sum(nil), sent) {
			continue
		}
		if j.tolerance.past == 0 {
			return proof{key: k.name, signedTime: at}, nil
		}
		signed, ok := parseTimestamp(at, route.UnitSeconds)
		if !ok {
			return proof{}, refusef(TimestampMissing, "header %s is not a time in seconds", j.timestamp)
		}
		return proof{key: k.name, signedTime: at}, j.tolerance.check(signed, request.Now)
	}
	return proof{}, refuse(SignatureMismatch, "no active key gives this signature")
}
