package verify

import (
	"context"
	"crypto/sha256"
	"strings"

	"github.com/postern-dev/postern/receiver/route"
)

// adyenPayments judges Adyen's standard webhooks: every item of the batch is
// signed on its own, inside the body, over some of its fields.
type adyenPayments struct {
	keys   []adyenKey
	fields extractor
}

type adyenKey struct {
	name   string
	secret []byte
}

// adyenFields are signed in this order; the signature stands last.
var adyenFields = []string{
	"pspReference", "originalReference", "merchantAccountCode", "merchantReference",
	"amount.value", "amount.currency", "eventCode", "success", "additionalData.hmacSignature",
}

func newAdyenPayments(m material) (judge, error) {
	j := &adyenPayments{fields: extractor{alone: true}}
	for _, k := range m.keys {
		secret, err := decodeKey(k, route.KeyFormat{Encoding: route.EncodingHex}, "", nil)
		if err != nil {
			return nil, err
		}
		j.keys = append(j.keys, adyenKey{k.name, secret})
	}
	for _, field := range adyenFields {
		if _, err := j.fields.add("NotificationRequestItem." + field); err != nil {
			return nil, err
		}
	}
	return j, nil
}

func (j *adyenPayments) judge(_ context.Context, request *Request) (proof, error) {
	items, ok := jsonItems(document(request), "notificationItems")
	if !ok || len(items) == 0 {
		return proof{}, refuse(SignatureMissing, "the body has no notificationItems")
	}
	var result proof
	var identity []byte
	for i, item := range items {
		name, signed, err := j.item(item)
		if err != nil {
			return proof{}, err
		}
		if i == 0 {
			result = proof{key: name, id: signed[0] + "-" + signed[6]}
		}
		// Events may share everything but one signed field, such as success.
		for _, text := range signed {
			identity = appendPart(identity, text)
		}
	}
	result.identity = string(identity)
	return result, nil
}

// item judges one item and returns the key's name and the signed fields.
func (j *adyenPayments) item(item []byte) (name string, signed []string, err error) {
	var found values
	j.fields.extract(item, &found)
	last := len(adyenFields) - 1
	text, ok := found.get(last)
	if !ok {
		return "", nil, refuse(SignatureMissing, "an item has no additionalData.hmacSignature")
	}
	var signature [sha256.Size]byte
	if !decodeExactly(signature[:], route.EncodingBase64, []byte(text)) {
		return "", nil, refuse(SignatureMalformed, "an item's hmacSignature is not base64 of 32 bytes")
	}
	parts := make([]string, last)
	for i := range parts {
		// What is absent is signed as nothing; what only seems so is a forgery.
		if found.unclear(i) {
			return "", nil, refusef(SignatureMalformed, "%s of an item occurs more than once or is not a text", adyenFields[i])
		}
		parts[i], _ = found.get(i)
	}
	content := strings.Join(parts, ":")
	for _, k := range j.keys {
		if secretEqual(hmacSum(sha256.New, k.secret, []byte(content)), signature[:]) {
			return k.name, parts, nil
		}
	}
	return "", nil, refuse(SignatureMismatch, "no active key gives the signature of every item")
}
