package verify

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"

	"github.com/postern-dev/postern/receiver/route"
)

// scheme is a compiled declarative scheme with the keys it is tried with. It
// is immutable.
type scheme struct {
	matcher    matcher
	headers    []string // canonical
	prefix     string
	encoding   route.Encoding
	list       *route.SignatureList
	size       int // of a decoded signature, in bytes
	limit      int // of the signatures of one request
	content    template
	paths      extractor
	timeHeader string // canonical
	timePath   int    // index in paths, or -1
	timeUnit   route.TimestampUnit
	timed      bool
	idHeader   string // canonical
	idPath     int    // index in paths, or -1
	required   []requirement
	url        string
	tolerance  tolerance
	// marksSigned asks for the digest of what is signed.
	marksSigned bool
}

// A matcher compares what a request carries with every key.
type matcher interface {
	// match returns the name of the key that one of the candidates was made
	// with. The error means a judgement that could not be made.
	match(work *work, body []byte) (string, bool)
}

// requirement is a header that must have exactly this value.
type requirement struct {
	header string
	value  string
}

// judge follows the order of the contract: is there a signature, does it hold,
// is it fresh.
func (s *scheme) judge(_ context.Context, request *Request) (proof, error) {
	w := workPool.Get().(*work)
	defer w.release()
	w.scheme, w.request = s, request
	if err := w.collect(); err != nil {
		return proof{}, err
	}
	if err := w.resolve(); err != nil {
		return proof{}, err
	}
	if _, asymmetric := s.matcher.(ed25519Keys); asymmetric {
		if err := w.prepareAsymmetric(); err != nil {
			return proof{}, err
		}
	}
	name, ok := s.matcher.match(w, request.Body)
	if !ok {
		return proof{}, refuse(SignatureMismatch, "no active key gives this signature")
	}
	result := proof{key: name}
	if s.timed {
		if err := w.checkTime(); err != nil {
			return proof{}, err
		}
		result.signedTime, _ = w.time() // checkTime has found it
		if s.marksSigned {
			digest := sha256.New()
			w.writeContent(digest, request.Body)
			result.signed = string(digest.Sum(nil))
		}
	}
	return result, nil
}

// present is true when the request carries a signature header of the scheme.
func (s *scheme) present(header http.Header) bool {
	for _, name := range s.headers {
		if len(header[name]) > 0 {
			return true
		}
	}
	return false
}

// checkScheme refuses a scheme that makes no sense whatever the key.
func checkScheme(s *route.Scheme) error {
	switch s.Algorithm {
	case route.AlgorithmToken, route.AlgorithmBasicAuth:
		return checkStatic(s)
	}
	_, err := compileScheme(s, nil, material{url: "https://checked.invalid/"})
	return err
}

// compileScheme builds a scheme for these keys.
func compileScheme(source *route.Scheme, keys []key, m material) (*scheme, error) {
	s := &scheme{
		prefix: source.Signature.Prefix, encoding: source.Signature.Encoding, list: source.Signature.List,
		url: m.url, tolerance: m.tolerance, marksSigned: m.marksSigned, timePath: -1, idPath: -1,
	}
	for _, name := range source.Signature.Headers {
		if !validHeaderName(name) {
			return nil, fmt.Errorf("source.scheme.signature.headers: %q is not a header name", name)
		}
		s.headers = append(s.headers, http.CanonicalHeaderKey(name))
	}
	if len(s.headers) == 0 {
		return nil, errors.New("source.scheme.signature.headers: name at least one header")
	}
	for name, value := range source.RequireHeaders {
		s.required = append(s.required, requirement{http.CanonicalHeaderKey(name), value})
	}
	if err := s.compileEncoding(); err != nil {
		return nil, err
	}
	if err := s.compileContent(source); err != nil {
		return nil, err
	}
	return s, s.compileKeys(source, keys)
}

func (s *scheme) compileEncoding() error {
	switch s.encoding {
	case "":
		s.encoding = route.EncodingHex
	case route.EncodingHex, route.EncodingBase64, route.EncodingBase64URL:
	default:
		return fmt.Errorf("source.scheme.signature.encoding: %q is not one of Hex, Base64, Base64URL", s.encoding)
	}
	if s.list == nil {
		return nil
	}
	switch {
	case s.list.Separator == "":
		return errors.New("source.scheme.signature.list.separator: must not be empty")
	case s.list.KeyValueSeparator == "" && s.list.SignatureKey+s.list.TimestampKey != "":
		return errors.New("source.scheme.signature.list.keyValueSeparator: must be set with signatureKey or timestampKey")
	case s.list.KeyValueSeparator != "" && s.list.SignatureKey == "":
		return errors.New("source.scheme.signature.list.signatureKey: must be set with keyValueSeparator")
	}
	return nil
}

func (s *scheme) compileContent(source *route.Scheme) error {
	pattern := source.Content
	if pattern == "" {
		pattern = "{body}"
	}
	var err error
	if s.content, err = parseTemplate(pattern, &s.paths); err != nil {
		return fmt.Errorf("source.scheme.content: %w", err)
	}
	if err := s.compileTimestamp(source); err != nil {
		return err
	}
	if source.ID.Header != "" {
		s.idHeader = http.CanonicalHeaderKey(source.ID.Header)
	} else if source.ID.JSON != "" && s.content.uses(varID) {
		if s.idPath, err = s.paths.add(source.ID.JSON); err != nil {
			return fmt.Errorf("source.scheme.id.json: %w", err)
		}
	}
	switch {
	case s.content.uses(varID) && s.idHeader == "" && s.idPath < 0:
		return errors.New("source.scheme.id: must be set, content has {id}")
	case s.url == "" && (s.content.uses(varURL) || s.content.uses(varBaseURL) || s.content.uses(varDecodedURL)):
		return errors.New("source.options.url: must be set, the signature covers the URL as configured at the provider")
	}
	return nil
}

func (s *scheme) compileTimestamp(source *route.Scheme) error {
	s.timeUnit = source.Timestamp.Unit
	switch s.timeUnit {
	case "":
		s.timeUnit = route.UnitSeconds
	case route.UnitSeconds, route.UnitMilliseconds, route.UnitRFC3339:
	default:
		return fmt.Errorf("source.scheme.timestamp.unit: %q is not one of Seconds, Milliseconds, RFC3339", s.timeUnit)
	}
	s.timed = timestamped(source)
	inList := s.list != nil && s.list.TimestampKey != ""
	signed := s.content.uses(varTimestamp)
	var err error
	switch {
	case signed && !s.timed:
		return errors.New("source.scheme.timestamp: must be set, content has {timestamp}")
	case source.Timestamp.JSON != "":
		if s.timePath, err = s.paths.add(source.Timestamp.JSON); err != nil {
			return fmt.Errorf("source.scheme.timestamp.json: %w", err)
		}
		// A provider may write the time into a header where the body has none.
		if source.Timestamp.Header != "" {
			s.timeHeader = http.CanonicalHeaderKey(source.Timestamp.Header)
		}
		signed = signed || s.content.uses(varBody)
	case !inList && s.timed:
		s.timeHeader = http.CanonicalHeaderKey(source.Timestamp.Header)
	}
	if s.timed && !signed {
		return errors.New("source.scheme.content: must have {timestamp}, a time that is not signed proves nothing")
	}
	return nil
}

func (s *scheme) compileKeys(source *route.Scheme, keys []key) error {
	switch source.Algorithm {
	case route.AlgorithmHMACSHA1, route.AlgorithmHMACSHA256, route.AlgorithmHMACSHA512:
		m, size, err := newHMAC(source.Algorithm, keys, source.Key)
		s.matcher, s.size, s.limit = m, size, maxCandidates
		return err
	case route.AlgorithmEd25519:
		m, size, err := newEd25519(keys, source.Key)
		s.matcher, s.size, s.limit = m, size, maxAsymmetric
		return err
	default:
		return fmt.Errorf("source.scheme.algorithm: %q is not one of HMACSHA1, HMACSHA256, HMACSHA512, Ed25519, "+
			"Token, BasicAuth", source.Algorithm)
	}
}
