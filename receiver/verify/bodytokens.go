package verify

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// headerToken judges a token in a header of its own.
type headerToken struct {
	tokens tokens
	header string
	// bodyClaim names the claim with the digest of the body; empty means that
	// the token does not sign the body.
	bodyClaim string
	// encode writes the digest; nil means hexadecimal.
	encode   func([]byte) string
	issuer   string
	audience string
	// bearer is true when the token comes after the word Bearer.
	bearer bool
	// secret is true when the header's value could be used again by whoever sees it.
	secret bool
}

func (j *headerToken) judge(ctx context.Context, request *Request) (proof, error) {
	text, err := j.text(request)
	if err != nil {
		return proof{}, err
	}
	t, name, err := j.tokens.judge(ctx, text, request.Now)
	if err != nil {
		return proof{}, err
	}
	if j.issuer != "" && !secretEqual(t.registered.Issuer, j.issuer) {
		return proof{}, refuse(SignatureMismatch, "the token is from another issuer")
	}
	if j.audience != "" && !t.registered.Audience.Contains(j.audience) {
		return proof{}, refuse(SignatureMismatch, "the token is for another audience than source.options.audience")
	}
	if j.bodyClaim != "" {
		encode := j.encode
		if encode == nil {
			encode = hex.EncodeToString
		}
		err = t.signsBody(j.bodyClaim, encode, request.Body)
	}
	result := proof{key: name}
	if issued := t.registered.IssuedAt; issued != nil && j.bodyClaim != "" {
		// Its unit is the second: the id of a token tells two of one second apart.
		result.signedTime = issued.Time().UTC().Format(time.RFC3339) + " " + t.registered.ID
	}
	return result, err
}

// text returns the token of the request.
func (j *headerToken) text(request *Request) (string, error) {
	if j.bearer {
		return bearer(request)
	}
	return request.proofHeader(j.header)
}

func (j *headerToken) credentials() (headers, parameters []string) {
	if j.secret {
		return []string{j.header}, nil
	}
	return nil, nil
}

// newPlaid judges ES256 tokens with the digest of the body. The keys come from
// an interface that wants the client's own credentials, so they are pinned.
func newPlaid(m material) (judge, error) {
	keys, err := newPublicKeys(m, "")
	if err != nil {
		return nil, err
	}
	maxAge := m.tolerance.past
	if maxAge == 0 {
		maxAge = 5 * time.Minute
	}
	return &headerToken{
		tokens: tokens{algorithms: []jose.SignatureAlgorithm{jose.ES256}, keys: keys, maxAge: maxAge},
		header: "Plaid-Verification", bodyClaim: "request_body_sha256",
	}, nil
}

// newVonage judges HS256 tokens with the digest of the body. A token is issued
// for one request, but the documentation bounds its age nowhere.
func newVonage(m material) (judge, error) {
	return &headerToken{
		tokens: tokens{
			algorithms: []jose.SignatureAlgorithm{jose.HS256}, keys: sharedKeys(m.keys), maxAge: m.tolerance.past,
		},
		header: "Authorization", bearer: true, bodyClaim: "payload_hash",
	}, nil
}

func newNetlify(m material) (judge, error) {
	return &headerToken{
		tokens: tokens{algorithms: []jose.SignatureAlgorithm{jose.HS256}, keys: sharedKeys(m.keys)},
		header: "X-Webhook-Signature", bodyClaim: "sha256", issuer: "netlify",
	}, nil
}

// newFusionAuth judges tokens with the digest of the body, signed with the key
// that was chosen there. The form of the configured key decides which
// algorithms are possible: a public key is never a shared secret.
func newFusionAuth(m material) (judge, error) {
	j := &headerToken{
		header: "X-FusionAuth-Signature-JWT", bodyClaim: "request_body_sha256", encode: base64.StdEncoding.EncodeToString,
	}
	public, err := newPublicKeys(m, "")
	switch {
	case err == nil:
		j.tokens = tokens{algorithms: oidcAlgorithms, keys: public}
	case len(publicMaterial(m, optionJWKS, publicKeyName)) != len(m.keys) || len(m.keys) == 0 || anyPublic(m.keys):
		return nil, err
	default:
		j.tokens = tokens{
			algorithms: []jose.SignatureAlgorithm{jose.HS256, jose.HS384, jose.HS512}, keys: sharedKeys(m.keys),
		}
	}
	return j, nil
}

// anyPublic is true when one of the keys is a public key, which everybody has.
func anyPublic(keys []key) bool {
	for _, k := range keys {
		_, jwksErr := parseJWKS([]byte(k.text))
		if jwksErr == nil || readPublicKey(k.text) != nil {
			return true
		}
	}
	return false
}

// newMonday judges tokens that name the account; they do not sign the body.
func newMonday(m material) (judge, error) {
	return &headerToken{
		tokens: tokens{algorithms: []jose.SignatureAlgorithm{jose.HS256}, keys: sharedKeys(m.keys)},
		header: "Authorization", audience: m.options["audience"], secret: true,
	}, nil
}

// greetMonday answers the check of a new monday.com webhook that comes without
// a token, answerMonday the one whose token holds: a body with nothing but a
// challenge is echoed.
func greetMonday(_ *greeting, request *Request) (*Response, error) {
	if len(request.Header.Values("Authorization")) > 0 {
		return nil, nil
	}
	return echoChallenge(request)
}

func answerMonday(_ *greeting, _ proof, request *Request) (*Response, error) {
	return echoChallenge(request)
}

func echoChallenge(request *Request) (*Response, error) {
	if len(request.Body) > maxChallenge {
		return nil, nil
	}
	challenge := onlyMember(document(request), "challenge")
	if challenge == "" {
		return nil, nil
	}
	return replyJSON(map[string]string{"challenge": challenge})
}
