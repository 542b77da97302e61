package sign

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Providers that send JSON Web Tokens.

// token signs claims.
func token(algorithm jose.SignatureAlgorithm, key any, claims map[string]any) (string, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, nil)
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	return jwt.Signed(signer).Claims(claims).Serialize()
}

// sharedToken signs with HMAC. The library refuses short keys, which HMAC
// itself fills up with zeros.
func sharedToken(secret []byte, claims map[string]any) (string, error) {
	key := append(secret[:len(secret):len(secret)], make([]byte, max(0, sha256.BlockSize-len(secret)))...)
	return token(jose.HS256, key, claims)
}

// digest is the SHA-256 of the body, written by encode.
func (d *draft) digest(encode func([]byte) string) string {
	sum := sha256.Sum256(d.body)
	return encode(sum[:])
}

func signNetlify(d *draft, event Event) (*Request, error) {
	claims := map[string]any{"iss": "netlify", "sha256": d.digest(hex.EncodeToString)}
	text, err := sharedToken(event.Secret, claims)
	d.header.Set("X-Webhook-Signature", text)
	return d.request(), err
}

func signMonday(d *draft, event Event) (*Request, error) {
	text, err := sharedToken(event.Secret, map[string]any{
		"aud": firstOf(event.Options["audience"], d.url), "iat": d.now.Unix(), "exp": d.now.Add(5 * time.Minute).Unix(),
	})
	d.header.Set("Authorization", text)
	return d.request(), err
}

func signFusionAuth(d *draft, event Event) (*Request, error) {
	text, err := sharedToken(event.Secret, map[string]any{
		"request_body_sha256": d.digest(base64.StdEncoding.EncodeToString),
	})
	d.header.Set("X-FusionAuth-Signature-JWT", text)
	return d.request(), err
}

func signVonage(d *draft, event Event) (*Request, error) {
	text, err := sharedToken(event.Secret, map[string]any{
		"iss": "Vonage", "iat": d.now.Unix(), "jti": d.id, "payload_hash": d.digest(hex.EncodeToString),
	})
	d.header.Set("Authorization", "Bearer "+text)
	return d.request(), err
}

func signPlaid(d *draft, event Event) (*Request, error) {
	private, err := privateKey[*ecdsa.PrivateKey](event.Secret, "ECDSA P-256")
	if err != nil {
		return nil, err
	}
	text, err := token(jose.ES256, private, map[string]any{
		"iat": d.now.Unix(), "request_body_sha256": d.digest(hex.EncodeToString),
	})
	d.header.Set("Plaid-Verification", text)
	return d.request(), err
}

// bearerToken signs as an identity provider would: Google for Pub/Sub, the
// option issuer otherwise.
func bearerToken(d *draft, event Event) (*Request, error) {
	private, err := privateKey[*rsa.PrivateKey](event.Secret, "RSA")
	if err != nil {
		return nil, err
	}
	text, err := token(jose.RS256, private, map[string]any{
		"iss": firstOf(event.Options["issuer"], "https://accounts.google.com"), "aud": event.Options["audience"],
		"sub": "postern-send", "email": event.Options["email"], "email_verified": true,
		"iat": d.now.Unix(), "exp": d.now.Add(time.Hour).Unix(),
	})
	d.header.Set("Authorization", "Bearer "+text)
	return d.request(), err
}
