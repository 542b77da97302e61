package verify

import (
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// travis judges RSA-SHA1 signatures over the decoded form parameter payload.
// Without a pinned key it asks Travis for its own.
type travis struct {
	pinned []rsaKey
	fetch  *Fetcher
}

// travisConfig publishes the signing key.
const travisConfig = "https://api.travis-ci.com/config"

func newTravis(m material) (judge, error) {
	pinned, err := parseRSAKeys(publicMaterial(m, publicKeyName))
	return &travis{pinned: pinned, fetch: m.fetch}, err
}

func (j *travis) judge(ctx context.Context, request *Request) (proof, error) {
	text, err := request.proofHeader("Signature")
	if err != nil {
		return proof{}, err
	}
	signature, err := strictBase64.DecodeString(text)
	if err != nil {
		return proof{}, refuse(SignatureMalformed, "header Signature is not base64")
	}
	values, err := form(request)
	if err != nil {
		return proof{}, err
	}
	payload, ok := only(values, "payload")
	if !ok || !onlyParameters(values, "payload") {
		return proof{}, refuse(SignatureMalformed,
			"the form has other parameters than one payload, which is all that is signed")
	}
	keys, err := j.keys(ctx, request.Now)
	if err != nil {
		return proof{}, err
	}
	name, ok := signedRSA(keys, crypto.SHA1, []byte(payload), signature)
	if !ok {
		return proof{}, refuse(SignatureMismatch, "the public key does not verify the signature")
	}
	return proof{key: name}, nil
}

func (j *travis) keys(ctx context.Context, now time.Time) ([]rsaKey, error) {
	if len(j.pinned) > 0 {
		return j.pinned, nil
	}
	document, err := j.fetch.get(ctx, travisConfig, now)
	if err != nil {
		return nil, err
	}
	var published struct {
		Config struct {
			Notifications struct {
				Webhook struct {
					PublicKey string `json:"public_key"`
				} `json:"webhook"`
			} `json:"notifications"`
		} `json:"config"`
	}
	if err := json.Unmarshal(document, &published); err != nil {
		return nil, fmt.Errorf("%s is not the expected JSON: %w", travisConfig, err)
	}
	text := published.Config.Notifications.Webhook.PublicKey
	if text == "" {
		return nil, errors.New(travisConfig + " has no config.notifications.webhook.public_key")
	}
	return parseRSAKeys([]key{{name: "published", text: text}})
}
