package verify

import (
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// clockLeeway is how far clocks may differ when a token's dates are judged.
const clockLeeway = time.Minute

// maxTokenKeys bounds the keys that one token is tried with.
const maxTokenKeys = 8

// webToken is a judged JSON Web Token.
type webToken struct {
	registered jwt.Claims
	all        map[string]any
}

// text returns a claim that is a string.
func (t *webToken) text(name string) string {
	text, _ := t.all[name].(string)
	return text
}

// keySet finds the keys for a token.
type keySet interface {
	keys(ctx context.Context, keyID string, now time.Time) ([]jose.JSONWebKey, error)
}

// tokens judges the signature and the dates of tokens. The algorithms are fixed
// by the provider: what the token's header claims never selects how it is
// verified.
type tokens struct {
	algorithms []jose.SignatureAlgorithm
	keys       keySet
	// maxAge, if set, bounds the age of a token by its iat claim.
	maxAge time.Duration
}

func (j *tokens) judge(ctx context.Context, text string, now time.Time) (*webToken, string, error) {
	parsed, err := jwt.ParseSigned(text, j.algorithms)
	if err != nil || len(parsed.Headers) != 1 {
		return nil, "", refusef(SignatureMalformed, "the token is not a JWT signed with %s", j.names())
	}
	keys, err := j.keys.keys(ctx, parsed.Headers[0].KeyID, now)
	if err != nil {
		return nil, "", err
	}
	// A token that names no key is not tried with every key of a large set.
	keys = keys[:min(len(keys), maxTokenKeys)]
	for i := range keys {
		t := &webToken{}
		if parsed.Claims(keys[i].Key, &t.registered, &t.all) != nil {
			continue
		}
		return t, keys[i].KeyID, j.current(t, now)
	}
	return nil, "", refuse(SignatureMismatch, "no active key signed the token")
}

func (j *tokens) names() string {
	names := make([]string, len(j.algorithms))
	for i, algorithm := range j.algorithms {
		names[i] = string(algorithm)
	}
	return strings.Join(names, " or ")
}

func (j *tokens) current(t *webToken, now time.Time) error {
	if err := t.registered.ValidateWithLeeway(jwt.Expected{Time: now}, clockLeeway); err != nil {
		return refuse(TimestampOutOfTolerance, "the token is expired or not valid yet")
	}
	if j.maxAge == 0 {
		return nil
	}
	if t.registered.IssuedAt == nil {
		return refuse(TimestampMissing, "the token has no iat claim")
	}
	return tolerance{past: j.maxAge, future: clockLeeway}.check(t.registered.IssuedAt.Time(), now)
}

// bearer returns the token of the Authorization header.
func bearer(request *Request) (string, error) {
	text, err := request.proofHeader("Authorization")
	if err != nil {
		return "", err
	}
	token, ok := cutBearer(text)
	if !ok {
		return "", refuse(SignatureMalformed, "header Authorization is not a bearer token")
	}
	return token, nil
}

// signsBody checks a claim that is the SHA-256 of the body, encoded as text.
func (t *webToken) signsBody(claim string, encode func([]byte) string, body []byte) error {
	sum := sha256.Sum256(body)
	if !secretEqual(t.text(claim), encode(sum[:])) {
		return refusef(SignatureMismatch, "the token's %s is not the digest of the body", claim)
	}
	return nil
}

// sharedKeys are the secrets of tokens with an HMAC.
type sharedKeys []key

func (s sharedKeys) keys(context.Context, string, time.Time) ([]jose.JSONWebKey, error) {
	set := make([]jose.JSONWebKey, len(s))
	for i, k := range s {
		secret := []byte(k.text)
		// HMAC fills short keys up with zeros itself; the library refuses them,
		// but how long its secrets are is the provider's decision.
		secret = append(secret, make([]byte, max(0, sha256.BlockSize-len(secret)))...)
		set[i] = jose.JSONWebKey{Key: secret, KeyID: k.name}
	}
	return set, nil
}

// publicKeys are pinned, or else fetched from a fixed address.
type publicKeys struct {
	pinned  []jose.JSONWebKey
	address string
	fetch   *Fetcher
}

const optionJWKS = "jwks"

// newPublicKeys pins what the Secret and the options hold; an empty address
// means that nothing can be fetched.
func newPublicKeys(m material, address string) (*publicKeys, error) {
	set := &publicKeys{address: address, fetch: m.fetch}
	for _, k := range publicMaterial(m, optionJWKS, publicKeyName) {
		pinned, err := parseJWKS([]byte(k.text))
		if err != nil {
			public, pemErr := parsePublicKey[crypto.PublicKey](k, "a JSON Web Key (set) or a public key")
			if pemErr != nil {
				return nil, pemErr
			}
			pinned = []jose.JSONWebKey{{Key: public, KeyID: ""}}
		}
		set.pinned = append(set.pinned, pinned...)
	}
	if len(set.pinned) == 0 && address == "" {
		return nil, errors.New("source.options.jwks: set it, or put the key set into the Secret")
	}
	return set, nil
}

// parseJWKS reads a key set or a single key. Symmetric keys are left out: a
// published key must never be taken for a shared secret.
func parseJWKS(document []byte) ([]jose.JSONWebKey, error) {
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(document, &set); err != nil {
		return nil, errors.New("not a JSON Web Key Set")
	}
	if len(set.Keys) == 0 {
		var single jose.JSONWebKey
		if err := json.Unmarshal(document, &single); err != nil {
			return nil, errors.New("not a JSON Web Key")
		}
		set.Keys = []jose.JSONWebKey{single}
	}
	set.Keys = slices.DeleteFunc(set.Keys, func(k jose.JSONWebKey) bool { return !k.IsPublic() || !k.Valid() })
	if len(set.Keys) == 0 {
		return nil, errors.New("there is no public key")
	}
	return set.Keys, nil
}

func (s *publicKeys) keys(ctx context.Context, keyID string, now time.Time) ([]jose.JSONWebKey, error) {
	if len(s.pinned) > 0 {
		return withID(s.pinned, keyID), nil
	}
	document, err := s.fetch.get(ctx, s.address, now)
	if err != nil {
		return nil, err
	}
	set, err := parseJWKS(document)
	if err == nil {
		if found := withID(set, keyID); len(found) > 0 {
			return found, nil
		}
		// The issuer may have begun to use another key since.
		if document, err = s.fetch.renew(ctx, s.address, now); err == nil {
			set, err = parseJWKS(document)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.address, err)
	}
	return withID(set, keyID), nil
}

// withID leaves the keys that a token with this kid may be signed with.
func withID(set []jose.JSONWebKey, keyID string) []jose.JSONWebKey {
	if keyID == "" {
		return set
	}
	return slices.DeleteFunc(slices.Clone(set), func(k jose.JSONWebKey) bool {
		return k.KeyID != "" && k.KeyID != keyID
	})
}
