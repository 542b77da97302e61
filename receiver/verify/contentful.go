package verify

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
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
	// marksSigned asks for the digest of what is signed.
	marksSigned bool
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
	return &contentful{keys: m.keys, url: m.url, tolerance: m.tolerance, marksSigned: m.marksSigned}, nil
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
	headers, err := j.signedHeaders(request)
	if err != nil {
		return proof{}, err
	}
	for _, path := range j.paths(request) {
		canonical := request.Method + "\n" + path + "\n" + headers + "\n"
		for _, k := range j.keys {
			if !secretEqual(hmacSum(sha256.New, []byte(k.text), []byte(canonical), request.Body), sent[:]) {
				continue
			}
			signed, ok := parseTimestamp(at, route.UnitMilliseconds)
			if !ok {
				return proof{}, refusef(TimestampMissing, "header %s is not a time in milliseconds", contentfulTimestamp)
			}
			result := proof{key: k.name, signedTime: at}
			if j.marksSigned {
				result.signed = digest([]byte(canonical), request.Body)
			}
			return result, j.tolerance.check(signed, request.Now)
		}
	}
	return proof{}, refuse(SignatureMismatch, "no active key signed this request")
}

// paths are the forms in which path and query may be signed: as they are sent,
// and as node-apps-toolkit writes them, which escapes the query as one text and
// then the whole again (src/requests/utils.ts, getNormalizedEncodedURI).
func (j *contentful) paths(request *Request) []string {
	_, rest, _ := strings.Cut(SignedURL(j.url, request.RawQuery), "://")
	_, rest, _ = strings.Cut(rest, "/")
	path, query, found := strings.Cut("/"+rest, "?")
	switch {
	case !found || query == "":
		return []string{path, escapeExcept(path, uriCharacters)}
	case strings.Contains(query, "?"):
		return []string{path + "?" + query} // the toolkit loses what follows the second one
	}
	return []string{path + "?" + query, escapeExcept(path+"?"+escapeExcept(query, componentCharacters), uriCharacters)}
}

// The characters beside letters and digits that encodeURIComponent and encodeURI
// of JavaScript leave as they are (ECMA-262, sections 19.2.6.4 and 19.2.6.5).
const (
	componentCharacters = "-_.!~*'()"
	uriCharacters       = componentCharacters + ";/?:@&=+$,#"
)

// escapeExcept writes every other byte as %XX.
func escapeExcept(text, kept string) string {
	var out strings.Builder
	for i := range len(text) {
		c := text[i]
		if 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || strings.IndexByte(kept, c) >= 0 {
			out.WriteByte(c)
		} else {
			fmt.Fprintf(&out, "%%%02X", c)
		}
	}
	return out.String()
}

// signedHeaders are the names and values of the headers that the request says
// are signed.
func (j *contentful) signedHeaders(request *Request) (string, error) {
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
	return strings.Join(pairs, ";"), nil
}
