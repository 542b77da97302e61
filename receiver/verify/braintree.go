package verify

import (
	"context"
	"crypto/sha1" //nolint:gosec // the provider signs with HMAC-SHA1, which is not broken by collisions
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"net/http"
	"regexp"
	"strings"
)

// braintree judges notifications that are a signed form: bt_signature has
// pairs of public key and HMAC, bt_payload is what they sign.
type braintree struct {
	public string
	keys   []braintreeKey
}

// braintreeKey is a private key as it is used: its SHA-1.
type braintreeKey struct {
	name   string
	secret []byte
}

const publicKeyName = "publicKey"

func newBraintree(m material) (judge, error) {
	return &braintree{public: m.options[publicKeyName], keys: braintreeKeys(m.keys)}, nil
}

func braintreeKeys(keys []key) []braintreeKey {
	hashed := make([]braintreeKey, 0, len(keys))
	for _, k := range keys {
		sum := sha1.Sum([]byte(k.text)) //nolint:gosec // the provider's key derivation
		hashed = append(hashed, braintreeKey{k.name, sum[:]})
	}
	return hashed
}

var braintreePayload = regexp.MustCompile(`^[A-Za-z0-9+/=\r\n]+$`)

func (j *braintree) judge(_ context.Context, request *Request) (proof, error) {
	values, err := form(request)
	if err != nil {
		return proof{}, err
	}
	signatures, signed := only(values, "bt_signature")
	payload, present := only(values, "bt_payload")
	switch {
	case !signed:
		return proof{}, refuse(SignatureMissing, "form parameter bt_signature is missing")
	case !onlyParameters(values, "bt_signature", "bt_payload"):
		return proof{}, refuse(SignatureMalformed, "the form has parameters that are not signed")
	case !present || !braintreePayload.MatchString(payload):
		return proof{}, refuse(SignatureMalformed, "form parameter bt_payload is not base64")
	}
	text, found := j.own(signatures)
	if !found {
		return proof{}, refuse(SignatureMismatch, "bt_signature has no pair of source.options.publicKey")
	}
	var sent [sha1.Size]byte
	if !decodeExactly(sent[:], "Hex", []byte(text)) {
		return proof{}, refuse(SignatureMalformed, "bt_signature is not the hexadecimal text of a SHA-1")
	}
	// Some versions of the sender sign the payload with the line break that
	// forms lose at its end.
	for _, message := range []string{payload, payload + "\n"} {
		for _, k := range j.keys {
			if secretEqual(hmacSum(sha1.New, k.secret, []byte(message)), sent[:]) {
				return proof{key: k.name, eventType: notificationKind(payload)}, nil
			}
		}
	}
	return proof{}, refuse(SignatureMismatch, "no active private key signed the payload")
}

// own returns the signature beside our public key.
func (j *braintree) own(signatures string) (string, bool) {
	for pair := range strings.SplitSeq(signatures, "&") {
		public, signature, ok := strings.Cut(pair, "|")
		if ok && secretEqual(public, j.public) {
			return signature, true
		}
	}
	return "", false
}

// notificationKind reads the event type out of a verified payload.
func notificationKind(payload string) string {
	document, err := base64.StdEncoding.DecodeString(payload)
	if err != nil {
		return ""
	}
	var notification struct {
		Kind string `xml:"kind"`
	}
	if xml.Unmarshal(document, &notification) != nil {
		return ""
	}
	return notification.Kind
}

var braintreeChallenge = regexp.MustCompile(`^[a-f0-9]{20,32}$`)

// greetBraintree answers the check of a new destination: the challenge signed
// with the private key. The pattern keeps it from signing anything else.
func greetBraintree(g *greeting, request *Request) (*Response, error) {
	if request.Method != http.MethodGet {
		return nil, nil
	}
	challenge, ok := queryParameter(request, "bt_challenge")
	if !ok {
		return nil, refuse(SignatureMissing, "query parameter bt_challenge is missing")
	}
	if !braintreeChallenge.MatchString(challenge) {
		return nil, refuse(SignatureMalformed, "query parameter bt_challenge is not 20 to 32 hexadecimal digits")
	}
	k := braintreeKeys(g.keys[:1])[0]
	sum := hmacSum(sha1.New, k.secret, []byte(challenge))
	return replyText(g.options[publicKeyName] + "|" + hex.EncodeToString(sum)), nil
}
