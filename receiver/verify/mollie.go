package verify

import (
	"context"
	"net/http"
)

const mollieSignature = "X-Mollie-Signature"

// mollie judges both kinds of Mollie's webhooks: signed ones by their
// signature, classic ones, which are never signed, by the secret in their URL.
type mollie struct {
	signed judge
	plain  judge
}

// mollieVariants are the HMAC of the body, with and without its name before it.
func mollieVariants() []Variant {
	return append(hexBody(mollieSignature, "sha256="), hexBody(mollieSignature, "")...)
}

func newMollie(m material) (judge, error) {
	signed, err := newFamily(mollieVariants(), m)
	if err != nil {
		return nil, err
	}
	plain, err := newQueryToken(m)
	return &mollie{signed: signed, plain: plain}, err
}

func (j *mollie) judge(ctx context.Context, request *Request) (proof, error) {
	if len(request.Header[http.CanonicalHeaderKey(mollieSignature)]) > 0 {
		return j.signed.judge(ctx, request)
	}
	return j.plain.judge(ctx, request)
}

func (j *mollie) credentials() (headers, parameters []string) {
	return j.plain.(credentialed).credentials()
}
