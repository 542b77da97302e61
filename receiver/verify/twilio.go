package verify

import (
	"context"
	"crypto/sha1" //nolint:gosec // the provider signs with HMAC-SHA1, which is not broken by collisions
	"encoding/hex"
	"errors"
	"net/url"
	"slices"
	"strings"
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
	for _, candidate := range j.addresses(request) {
		for _, k := range j.keys {
			sum := hmacSum(sha1.New, []byte(k.text), []byte(candidate), []byte(parameters))
			if secretEqual(sum, sent[:]) {
				return proof{key: k.name}, nil
			}
		}
	}
	return proof{}, refuse(SignatureMismatch, "no active key signed this URL and these parameters")
}

// parameters returns what is signed after the URL. A form is always signed by
// its parameters: the digest in the URL stands for bodies of other types.
func (j *signedForm) parameters(request *Request) (string, error) {
	digest, digested := "", false
	if j.bodyHash {
		digest, digested = bodyDigest(SignedURL(j.url, request.RawQuery))
	}
	switch {
	case len(request.Body) == 0 && !digested:
		return "", nil
	case len(request.Body) > 0 && isForm(request.Header):
		values, err := form(request)
		if err != nil {
			return "", err
		}
		return sortedParameters(values), nil
	case !digested:
		return "", refuse(SignatureMismatch, "the body is no form and the URL does not end with its bodySHA256, "+
			"so nothing signs the body")
	}
	sum := request.read().SHA256()
	if !secretEqual(hex.EncodeToString(sum[:]), digest) {
		return "", refuse(SignatureMismatch, "bodySHA256 in the URL is not the digest of the body")
	}
	return "", nil
}

// bodyDigest returns the digest of the body in a signed URL. It counts only as
// the last parameter, where the provider puts it: the parameters of a signed
// form follow its URL, so a text within one could pass for a parameter of the
// URL, but another one would follow.
func bodyDigest(address string) (string, bool) {
	_, query, _ := strings.Cut(address, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return "", false
	}
	digest, ok := only(values, "bodySHA256")
	return digest, ok && strings.HasSuffix("&"+query, "&bodySHA256="+digest)
}

// addresses are the forms of the URL that senders sign: with its port, without,
// and with the port of its scheme; with an apostrophe in the query escaped and
// not (twilio-node, src/webhooks/webhooks.ts).
func (j *signedForm) addresses(request *Request) []string {
	var all []string
	add := func(address string) {
		if !slices.Contains(all, address) {
			all = append(all, address)
		}
	}
	for _, address := range portVariants(SignedURL(j.url, request.RawQuery)) {
		base, query, found := strings.Cut(address, "?")
		add(address)
		if found {
			add(base + "?" + strings.ReplaceAll(query, "'", "%27"))
			add(base + "?" + strings.ReplaceAll(query, "%27", "'"))
		}
	}
	return all
}

// portVariants returns the URL as it is, without a port, and with the default
// port of its scheme. Everything behind the host stays byte for byte.
func portVariants(text string) []string {
	scheme, rest, _ := strings.Cut(text, "://")
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	u, err := url.Parse(scheme + "://" + rest[:end])
	port, known := map[string]string{"https": "443", "http": "80"}[scheme]
	if err != nil || !known {
		return []string{text}
	}
	bare := strings.TrimSuffix(rest[:end], ":"+u.Port())
	return []string{text, scheme + "://" + bare + rest[end:], scheme + "://" + bare + ":" + port + rest[end:]}
}
