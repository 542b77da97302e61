package verify

import (
	"context"

	"github.com/go-jose/go-jose/v4"
)

// bearerToken judges tokens in the Authorization header that an identity
// provider signed: by issuer, audience and further claims.
type bearerToken struct {
	tokens   tokens
	issuers  []string
	audience string
	// claims judges what is special to a provider; nil means nothing.
	claims func(*webToken) error
}

func (j *bearerToken) judge(ctx context.Context, request *Request) (proof, error) {
	text, err := bearer(request)
	if err != nil {
		return proof{}, err
	}
	t, name, err := j.tokens.judge(ctx, text, request.Now)
	if err != nil {
		return proof{}, err
	}
	if err := j.addressed(t); err != nil {
		return proof{}, err
	}
	if j.claims != nil {
		err = j.claims(t)
	}
	return proof{key: name}, err
}

// addressed checks who issued the token and for whom.
func (j *bearerToken) addressed(t *webToken) error {
	// A token without an end would be valid for ever for whoever saw it once.
	if t.registered.Expiry == nil {
		return refuse(TimestampMissing, "the token has no exp claim")
	}
	issued := len(j.issuers) == 0
	for _, issuer := range j.issuers {
		issued = issued || secretEqual(t.registered.Issuer, issuer)
	}
	if !issued {
		return refuse(SignatureMismatch, "the token is from another issuer")
	}
	if !t.registered.Audience.Contains(j.audience) {
		return refuse(SignatureMismatch, "the token is for another audience than source.options.audience")
	}
	return nil
}

func (j *bearerToken) credentials() (headers, parameters []string) {
	return []string{"Authorization"}, nil
}

// googleKeys publishes the keys of Google's service accounts.
const googleKeys = "https://www.googleapis.com/oauth2/v3/certs"

// newPubSub judges Google Pub/Sub push: the token proves which service account
// pushed; it does not sign the body.
func newPubSub(m material) (judge, error) {
	keys, err := newPublicKeys(m, googleKeys)
	if err != nil {
		return nil, err
	}
	email := m.options["email"] // needed, see the preset: the audience is no secret
	return &bearerToken{
		tokens:   tokens{algorithms: []jose.SignatureAlgorithm{jose.RS256}, keys: keys},
		issuers:  []string{"https://accounts.google.com", "accounts.google.com"},
		audience: m.options["audience"],
		claims: func(t *webToken) error {
			verified, _ := t.all["email_verified"].(bool)
			if !verified || !secretEqual(t.text("email"), email) {
				return refuse(SignatureMismatch, "the token is of another service account than source.options.email")
			}
			return nil
		},
	}, nil
}
