package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/postern-dev/postern/receiver/route"
)

// static judges requests that carry the secret itself in a header: as it is,
// or as the user and password of basic authentication.
type static struct {
	keys    []key
	headers []string // canonical
	prefix  string
	basic   bool
}

func checkStatic(s *route.Scheme) error {
	if s.Content != "" || s.Signature.List != nil || timestamped(s) {
		return fmt.Errorf("source.scheme: algorithm %s signs nothing; leave out content, signature.list and timestamp",
			s.Algorithm)
	}
	if s.Algorithm == route.AlgorithmToken && len(s.Signature.Headers) == 0 {
		return errors.New("source.scheme.signature.headers: name the header that carries the token")
	}
	for _, name := range s.Signature.Headers {
		if !validHeaderName(name) {
			return fmt.Errorf("source.scheme.signature.headers: %q is not a header name", name)
		}
	}
	return nil
}

func decodeStatic(k key, s *route.Scheme) ([]byte, error) {
	if s.Algorithm != route.AlgorithmBasicAuth {
		return decodeKey(k, s.Key, "", nil)
	}
	return decodeKey(k, s.Key, "user:password", func(decoded []byte) bool { return bytes.ContainsRune(decoded, ':') })
}

func newStatic(s *route.Scheme, keys []key) (*static, error) {
	if err := checkStatic(s); err != nil {
		return nil, err
	}
	j := &static{prefix: s.Signature.Prefix, basic: s.Algorithm == route.AlgorithmBasicAuth}
	for _, k := range keys {
		decoded, err := decodeStatic(k, s)
		if err != nil {
			return nil, err
		}
		j.keys = append(j.keys, key{k.name, string(decoded)})
	}
	for _, name := range s.Signature.Headers {
		j.headers = append(j.headers, http.CanonicalHeaderKey(name))
	}
	if len(j.headers) == 0 {
		j.headers = []string{"Authorization"}
	}
	return j, nil
}

func (j *static) judge(_ context.Context, request *Request) (proof, error) {
	presented, err := j.presented(request.Header)
	if err != nil {
		return proof{}, err
	}
	for _, k := range j.keys {
		if secretEqual(presented, k.text) {
			return proof{key: k.name}, nil
		}
	}
	return proof{}, refuse(SignatureMismatch, "no active key equals the credential sent")
}

// presented returns the credential of the request.
func (j *static) presented(header http.Header) (string, error) {
	var value, name string
	for _, h := range j.headers {
		lines := header[h]
		if len(lines) > 1 || len(lines) == 1 && name != "" {
			return "", refusef(SignatureMalformed, "the credential in header %s occurs more than once", h)
		}
		if len(lines) == 1 {
			value, name = lines[0], h
		}
	}
	if value == "" {
		return "", refusef(SignatureMissing, "header %s is missing", strings.Join(j.headers, " or "))
	}
	if j.basic {
		return basicCredential(name, value)
	}
	value, ok := strings.CutPrefix(value, j.prefix)
	if !ok {
		return "", refusef(SignatureMalformed, "header %s does not begin with %q", name, j.prefix)
	}
	return value, nil
}

// basicCredential returns user:password; the scheme's name is case-insensitive.
func basicCredential(name, value string) (string, error) {
	const word = "basic "
	if len(value) <= len(word) || !strings.EqualFold(value[:len(word)], word) {
		return "", refusef(SignatureMalformed, "header %s is not basic authentication", name)
	}
	decoded, err := strictBase64.DecodeString(value[len(word):])
	if err != nil || !strings.Contains(string(decoded), ":") {
		return "", refusef(SignatureMalformed, "header %s is not basic authentication", name)
	}
	return string(decoded), nil
}

func (j *static) credentials() (headers, parameters []string) { return j.headers, nil }

func (j *static) present(header http.Header) bool {
	for _, name := range j.headers {
		if len(header[name]) > 0 {
			return true
		}
	}
	return false
}
