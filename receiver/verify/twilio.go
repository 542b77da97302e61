package verify

import (
	"context"
	"crypto/sha1" //nolint:gosec // the provider signs with HMAC-SHA1, which is not broken by collisions
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net"
	"net/url"
)

// signedForm judges an HMAC-SHA1 over the configured URL and the decoded form
// parameters, as Twilio and Mandrill send it.
type signedForm struct {
	keys   []key
	url    string
	header string
	// bodyHash allows other bodies than forms when the URL carries their digest.
	bodyHash bool
}

func newTwilio(m material) (judge, error) {
	return newSignedForm(m, "X-Twilio-Signature", true)
}

func newMandrill(m material) (judge, error) {
	return newSignedForm(m, "X-Mandrill-Signature", false)
}

func newSignedForm(m material, header string, bodyHash bool) (judge, error) {
	if m.url == "" {
		return nil, errors.New("source.options.url: must be the URL as configured at the provider, which signs it")
	}
	return &signedForm{keys: m.keys, url: m.url, header: header, bodyHash: bodyHash}, nil
}

func (j *signedForm) judge(_ context.Context, request *Request) (proof, error) {
	text, err := request.proofHeader(j.header)
	if err != nil {
		return proof{}, err
	}
	var sent [sha1.Size]byte
	if !decodeExactly(sent[:], "Base64", []byte(text)) {
		return proof{}, refusef(SignatureMalformed, "header %s is not the base64 of a SHA-1", j.header)
	}
	parameters, err := j.parameters(request)
	if err != nil {
		return proof{}, err
	}
	for _, candidate := range portVariants(SignedURL(j.url, request.RawQuery)) {
		for _, k := range j.keys {
			sum := hmacSum(sha1.New, []byte(k.text), []byte(candidate), []byte(parameters))
			if secretEqual(sum, sent[:]) {
				return proof{key: k.name}, nil
			}
		}
	}
	return proof{}, refuse(SignatureMismatch, "no active key signed this URL and these parameters")
}

// parameters returns what is signed after the URL.
func (j *signedForm) parameters(request *Request) (string, error) {
	if digest, ok := j.digest(request); ok {
		sum := sha256.Sum256(request.Body)
		if !secretEqual(hex.EncodeToString(sum[:]), digest) {
			return "", refuse(SignatureMismatch, "bodySHA256 in the URL is not the digest of the body")
		}
		return "", nil
	}
	if len(request.Body) == 0 {
		return "", nil
	}
	if !isForm(request.Header) {
		return "", refuse(SignatureMismatch, "the body is no form and the URL has no bodySHA256, so nothing signs the body")
	}
	values, err := form(request)
	if err != nil {
		return "", err
	}
	return sortedParameters(values), nil
}

func (j *signedForm) digest(request *Request) (string, bool) {
	if !j.bodyHash {
		return "", false
	}
	configured, err := url.Parse(SignedURL(j.url, request.RawQuery))
	if err != nil {
		return "", false
	}
	return only(configured.Query(), "bodySHA256")
}

// portVariants returns the URL as it is and with the default port of its
// scheme written or left out: senders differ in which of the two they sign.
func portVariants(text string) []string {
	variants := []string{text}
	u, err := url.Parse(text)
	if err != nil {
		return variants
	}
	port, known := map[string]string{"https": "443", "http": "80"}[u.Scheme]
	if !known {
		return variants
	}
	switch u.Port() {
	case "":
		u.Host = net.JoinHostPort(u.Hostname(), port)
	case port:
		u.Host = u.Hostname()
	default:
		return variants
	}
	return append(variants, u.String())
}
