package verify

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/postern-dev/postern/receiver/route"
)

// contentful judges an HMAC over a canonical form of the request: method, path
// with query, chosen headers, body.
type contentful struct {
	keys      []key
	url       string
	tolerance tolerance
}

const (
	contentfulSignature = "X-Contentful-Signature"
	contentfulSigned    = "X-Contentful-Signed-Headers"
	contentfulTimestamp = "X-Contentful-Timestamp"
)

func newContentful(m material) (judge, error) {
	if m.url == "" {
		return nil, errors.New("source.options.url: must be the URL as configured at the provider, which signs its path")
	}
	return &contentful{keys: m.keys, url: m.url, tolerance: m.tolerance}, nil
}

func (j *contentful) judge(_ context.Context, request *Request) (proof, error) {
	text, err := request.proofHeader(contentfulSignature)
	if err != nil {
		return proof{}, err
	}
	var sent [sha256.Size]byte
	if !decodeExactly(sent[:], route.EncodingHex, []byte(text)) {
		return proof{}, refusef(SignatureMalformed, "header %s is not the hexadecimal text of a SHA-256", contentfulSignature)
	}
	at, err := request.timeHeader(contentfulTimestamp)
	if err != nil {
		return proof{}, err
	}
	canonical, err := j.canonical(request)
	if err != nil {
		return proof{}, err
	}
	for _, k := range j.keys {
		if !secretEqual(hmacSum(sha256.New, []byte(k.text), []byte(canonical), request.Body), sent[:]) {
			continue
		}
		signed, ok := parseTimestamp(at, route.UnitMilliseconds)
		if !ok {
			return proof{}, refusef(TimestampMissing, "header %s is not a time in milliseconds", contentfulTimestamp)
		}
		return proof{key: k.name}, j.tolerance.check(signed, request.Now)
	}
	return proof{}, refuse(SignatureMismatch, "no active key signed this request")
}

// canonical is everything that is signed before the body.
func (j *contentful) canonical(request *Request) (string, error) {
	u, err := url.Parse(SignedURL(j.url, request.RawQuery))
	if err != nil {
		return "", refuse(SignatureMalformed, "the query string is malformed")
	}
	list, err := request.proofHeader(contentfulSigned)
	if err != nil {
		return "", err
	}
	names := strings.Split(strings.ToLower(list), ",")
	// The time counts only when it is signed.
	if !slices.Contains(names, strings.ToLower(contentfulTimestamp)) {
		return "", refusef(SignatureMalformed, "header %s does not name the timestamp", contentfulSigned)
	}
	slices.Sort(names)
	pairs := make([]string, 0, len(names))
	for _, name := range names {
		value, err := request.onceHeader(strings.TrimSpace(name), SignatureMalformed)
		if err != nil {
			return "", err
		}
		pairs = append(pairs, strings.TrimSpace(name)+":"+strings.TrimSpace(value))
	}
	return request.Method + "\n" + u.RequestURI() + "\n" + strings.Join(pairs, ";") + "\n", nil
}
