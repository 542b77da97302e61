package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/postern-dev/postern/receiver/expr"
)

const optionClaims = "claims"

// oidcAlgorithms are the asymmetric ones of RFC 7518: with a shared secret a
// public key could be passed off as one.
var oidcAlgorithms = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.ES256, jose.ES384, jose.ES512,
	jose.PS256, jose.PS384, jose.PS512, jose.EdDSA,
}

// newOIDC judges bearer tokens of any OpenID Connect issuer. A rule on the
// claims is needed: issuer and audience alone admit every user of the issuer.
func newOIDC(m material) (judge, error) {
	issuer := m.options[optionIssuer]
	if u, err := url.Parse(issuer); err != nil || u.Scheme != "https" || u.Host == "" {
		return nil, errors.New("source.options.issuer: must be an https URL, as the iss claim has it")
	}
	rule, err := compileRule(m.options[optionClaims])
	if err != nil {
		return nil, fmt.Errorf("source.options.claims: %w", err)
	}
	var keys keySet
	if len(publicMaterial(m, optionJWKS, publicKeyName)) > 0 {
		keys, err = newPublicKeys(m, "")
	} else {
		keys = &discovered{issuer: issuer, fetch: m.fetch}
	}
	if err != nil {
		return nil, err
	}
	return &bearerToken{
		tokens:  tokens{algorithms: oidcAlgorithms, keys: keys},
		issuers: []string{issuer}, audience: m.options[optionAudience], claims: rule,
	}, nil
}

// compileRule compiles a CEL condition over `claims`.
func compileRule(expression string) (func(*webToken) error, error) {
	rule, err := expr.CompileClaims(expression)
	if err != nil {
		return nil, err
	}
	return func(t *webToken) error {
		holds, err := rule.Eval(t.all)
		if err != nil {
			return refuse(SignatureMismatch, "the rule in source.options.claims cannot be evaluated on the token's claims")
		}
		if !holds {
			return refuse(SignatureMismatch, "the token's claims do not fulfil the rule in source.options.claims")
		}
		return nil
	}, nil
}

// discovered keys are found by OpenID Connect Discovery 1.0, section 4.
type discovered struct {
	issuer string
	fetch  *Fetcher
}

func (d *discovered) keys(ctx context.Context, keyID string, now time.Time) ([]jose.JSONWebKey, error) {
	address, err := url.JoinPath(d.issuer, ".well-known/openid-configuration")
	if err != nil {
		return nil, err
	}
	document, err := d.fetch.get(ctx, address, now)
	if err != nil {
		return nil, err
	}
	var metadata struct {
		Issuer string `json:"issuer"`
		JWKS   string `json:"jwks_uri"`
	}
	if err := json.Unmarshal(document, &metadata); err != nil {
		return nil, fmt.Errorf("%s: %w", address, err)
	}
	if !secretEqual(metadata.Issuer, d.issuer) {
		return nil, fmt.Errorf("%s is of another issuer", address)
	}
	if u, err := url.Parse(metadata.JWKS); err != nil || u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%s: jwks_uri is not an https URL", address)
	}
	set := publicKeys{address: metadata.JWKS, fetch: d.fetch}
	return set.keys(ctx, keyID, now)
}
