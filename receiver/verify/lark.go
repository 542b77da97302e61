package verify

import (
	"bytes"
	"cmp"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"hash"
)

const (
	larkSignature = "X-Lark-Signature"
	larkTimestamp = "X-Lark-Request-Timestamp"
	larkNonce     = "X-Lark-Request-Nonce"
)

// lark judges events of Lark and Feishu. Encrypted ones are signed with a hash
// of the encrypt key. All others carry the verification token in the body.
type lark struct {
	keys   []key
	signed *keyedHash
	fields extractor
}

// larkFields are, in both versions of the events: token, id, type, and what the
// check of a new address has.
var larkFields = []string{
	"token", "header.token", "header.event_id", "uuid", "header.event_type", "event.type", "type", "challenge", "encrypt",
}

func newLark(m material) (judge, error) {
	j := &lark{keys: m.keys, signed: &keyedHash{
		keys: m.keys, tolerance: m.tolerance, signature: larkSignature, timestamp: larkTimestamp,
		content: func(request *Request, key, timestamp string) [][]byte {
			return [][]byte{[]byte(timestamp), []byte(request.Header.Get(larkNonce)), []byte(key), request.Body}
		},
		hashes: []func() hash.Hash{sha256.New},
	}}
	for _, field := range larkFields {
		if _, err := j.fields.add(field); err != nil {
			return nil, err
		}
	}
	return j, nil
}

// larkEvent is what a body says.
type larkEvent struct {
	token, id, eventType, kind, challenge, encrypted string
}

func (j *lark) read(body []byte) larkEvent {
	var found values
	j.fields.extract(body, &found)
	text := func(index int) string { value, _ := found.get(index); return value }
	return larkEvent{
		token: cmp.Or(text(1), text(0)), id: cmp.Or(text(2), text(3)), eventType: cmp.Or(text(4), text(5)),
		kind: text(6), challenge: text(7), encrypted: text(8),
	}
}

func (j *lark) judge(ctx context.Context, request *Request) (proof, error) {
	event := j.read(document(request))
	if event.encrypted == "" {
		return j.plain(event)
	}
	if len(request.Header.Values(larkSignature)) == 0 {
		return j.challenge(event.encrypted)
	}
	if _, err := request.proofHeader(larkNonce); err != nil {
		return proof{}, err
	}
	p, err := j.signed.judge(ctx, request)
	if err != nil {
		return proof{}, err
	}
	for _, k := range j.keys {
		if k.name != p.key {
			continue
		}
		if inner, ok := decryptLark(k.text, event.encrypted); ok {
			event = j.read(inner)
			p.id, p.eventType = event.id, event.eventType
			return answerLark(p, event)
		}
	}
	return proof{}, refuse(SignatureMalformed, "the signed body does not decrypt to JSON")
}

// plain judges a body that is not encrypted, by the verification token in it.
func (j *lark) plain(event larkEvent) (proof, error) {
	if event.token == "" {
		return proof{}, refuse(SignatureMissing, "the body has neither a verification token nor encrypted content")
	}
	for _, k := range j.keys {
		if secretEqual(event.token, k.text) {
			return answerLark(proof{key: k.name}, event)
		}
	}
	return proof{}, refuse(SignatureMismatch, "no active key equals the verification token of the body")
}

// challenge judges the one request that is encrypted but not signed: the check
// of a new address. That it decrypts to such a check proves the key.
func (j *lark) challenge(encrypted string) (proof, error) {
	for _, k := range j.keys {
		inner, ok := decryptLark(k.text, encrypted)
		if !ok {
			continue
		}
		p, err := answerLark(proof{key: k.name}, j.read(inner))
		if err == nil && p.handshake == nil {
			break
		}
		return p, err
	}
	return proof{}, refusef(SignatureMissing, "header %s is missing", larkSignature)
}

// answerLark answers the check of a new address, and leaves events alone.
func answerLark(p proof, event larkEvent) (proof, error) {
	if event.kind != "url_verification" || event.challenge == "" || len(event.challenge) > maxChallenge {
		return p, nil
	}
	var err error
	p.handshake, err = replyJSON(map[string]string{"challenge": event.challenge})
	return p, err
}

// decryptLark decrypts AES-256-CBC with the SHA-256 of the key; the first block
// is the initialisation vector. The result is JSON or nothing.
func decryptLark(secret, text string) ([]byte, bool) {
	sealed, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(sealed) < 2*aes.BlockSize || len(sealed)%aes.BlockSize != 0 {
		return nil, false
	}
	sum := sha256.Sum256([]byte(secret))
	block, err := aes.NewCipher(sum[:])
	if err != nil {
		return nil, false
	}
	open := make([]byte, len(sealed)-aes.BlockSize)
	cipher.NewCBCDecrypter(block, sealed[:aes.BlockSize]).CryptBlocks(open, sealed[aes.BlockSize:])
	padding := int(open[len(open)-1])
	if padding == 0 || padding > aes.BlockSize || !bytes.HasSuffix(open, bytes.Repeat([]byte{byte(padding)}, padding)) {
		return nil, false
	}
	open = open[:len(open)-padding]
	return open, json.Valid(open)
}
