// Package body reads the body of a request in every form that providers send:
// JSON with or without a byte order mark, form parameters, JSON in the form
// parameter payload, and all of these compressed with gzip. Verification,
// delivery ids, event types and expressions read bodies through it and so never
// disagree about one.
//
// A body that can be read in two ways is refused, because a target could read it
// the other way. Signatures of raw bytes and deliveries do not use this package:
// they take the bytes as received.
//
// It imports the standard library alone.
package body

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Errors of reading. Their texts never quote the body.
var (
	// ErrEncoding means a Content-Encoding that is not gzip, or several.
	ErrEncoding = errors.New("the body has a content encoding other than gzip")
	// ErrGzip means that the body is not exactly one complete gzip stream.
	ErrGzip = errors.New("the body is not one complete gzip stream")
	// ErrTooLarge means that the decompressed body passes its limit.
	ErrTooLarge = errors.New("the decompressed body is too large")
	// ErrNotForm means that the body is no form.
	ErrNotForm = errors.New("the body is not a form")
	// ErrForm means that a form has an invalid escape, a semicolon or too many parameters.
	ErrForm = errors.New("the body is not a valid form")
	// ErrAmbiguous means that there are several content types, or several
	// parameters payload.
	ErrAmbiguous = errors.New("the body can be read in more than one way")
	// ErrNotJSON means that the body is not exactly one JSON value.
	ErrNotJSON = errors.New("body is not JSON")
	// ErrTooComplex means that the body has more JSON values than are decoded.
	ErrTooComplex = errors.New("body has more than 500000 values")
	// ErrNoMemory means that Options.Reserve refused; the request should be tried again.
	ErrNoMemory = errors.New("the memory for requests under way is used up")
)

// Limits.
const (
	// Expansion is how many times the limit of the raw body a decompressed one may have.
	Expansion = 8
	// defaultMaxBytes is the limit of the raw body where none is given.
	defaultMaxBytes = 1 << 20

	formType = "application/x-www-form-urlencoded"
	// payload is the form parameter in which GitHub, Gitea and Slack send their JSON.
	payload = "payload"
)

// Options bound what reading may take.
type Options struct {
	// MaxBytes is the limit of the raw body; decompressed it may have
	// [Expansion] times as much. 0 means 1 MiB, or the size of a larger body.
	MaxBytes int64
	// Reserve asks for bytes of memory that are held for as long as the request;
	// false makes the read fail with [ErrNoMemory]. nil allows everything.
	Reserve func(bytes int64) bool
}

// Reader reads one body. It decodes what is asked for when it is asked for, and
// never twice. It is not safe for concurrent use. The body must not change
// meanwhile.
type Reader struct {
	raw      []byte
	types    []string
	encoding []string
	options  Options
	starved  bool

	digest   lazy[[sha256.Size]byte]
	plain    lazy[[]byte]
	form     lazy[url.Values]
	document lazy[[]byte]
	value    lazy[any]
}

// lazy is a result that is computed at most once.
type lazy[T any] struct {
	done  bool
	value T
	err   error
}

func (l *lazy[T]) get(compute func() (T, error)) (T, error) {
	if !l.done {
		l.value, l.err = compute()
		l.done = true
	}
	return l.value, l.err
}

// NewReader returns the reader of a body with the headers of its request.
func NewReader(header http.Header, raw []byte, options Options) *Reader {
	if options.MaxBytes <= 0 {
		options.MaxBytes = max(defaultMaxBytes, int64(len(raw)))
	}
	return &Reader{
		raw: raw, types: header["Content-Type"], encoding: header["Content-Encoding"], options: options,
	}
}

// Of returns the reader of another body within the same bounds; nil has none.
func (r *Reader) Of(header http.Header, raw []byte) *Reader {
	if r == nil {
		return NewReader(header, raw, Options{})
	}
	return NewReader(header, raw, r.options)
}

// Reads is true if the reader is one of this body with these headers.
func (r *Reader) Reads(header http.Header, raw []byte) bool {
	same := len(raw) == len(r.raw) && (len(raw) == 0 || &raw[0] == &r.raw[0])
	return same && slices.Equal(r.types, header["Content-Type"]) &&
		slices.Equal(r.encoding, header["Content-Encoding"])
}

// Raw returns the body as received.
func (r *Reader) Raw() []byte { return r.raw }

// SHA256 returns the digest of the body as received.
func (r *Reader) SHA256() [sha256.Size]byte {
	sum, _ := r.digest.get(func() ([sha256.Size]byte, error) { return sha256.Sum256(r.raw), nil })
	return sum
}

// Plain returns the body without its content encoding.
func (r *Reader) Plain() ([]byte, error) {
	return r.plain.get(r.decompress)
}

// Form returns the parameters of a form. A body without a content type is a
// form unless it begins like JSON.
func (r *Reader) Form() (url.Values, error) {
	return r.form.get(r.parseForm)
}

func (r *Reader) parseForm() (url.Values, error) {
	plain, err := r.Plain()
	if err != nil {
		return nil, err
	}
	if err := r.isForm(plain); err != nil {
		return nil, err
	}
	// A parameter takes about 100 bytes of maps and slices beside its text.
	if !r.reserve(2*int64(len(plain)) + 100*int64(1+bytes.Count(plain, []byte{'&'}))) {
		return nil, ErrNoMemory
	}
	values, err := url.ParseQuery(string(plain))
	if err != nil {
		return nil, ErrForm // the library's error quotes the body
	}
	return values, nil
}

// isForm returns [ErrNotForm] for bodies of another content type.
func (r *Reader) isForm(plain []byte) error {
	switch len(r.types) {
	case 0:
		if beginsLikeJSON(plain) {
			return ErrNotForm
		}
		return nil
	case 1:
		mediaType, _, _ := strings.Cut(r.types[0], ";")
		if strings.EqualFold(strings.TrimSpace(mediaType), formType) {
			return nil
		}
		return ErrNotForm
	}
	return ErrAmbiguous
}

// Document returns the JSON text of the body: the body itself without a byte
// order mark, or the parameter payload of a form. It is not checked to be JSON.
func (r *Reader) Document() ([]byte, error) {
	return r.document.get(r.findDocument)
}

// findDocument takes a form for JSON only if it has no parameter payload: a
// signature over that parameter must cover all that is read.
func (r *Reader) findDocument() ([]byte, error) {
	form, err := r.Form()
	switch {
	case err == nil && len(form[payload]) == 1:
		text := form[payload][0]
		if !r.reserve(int64(len(text))) {
			return nil, ErrNoMemory
		}
		return withoutMark([]byte(text)), nil
	case err == nil && len(form[payload]) > 1:
		return nil, ErrAmbiguous
	case err != nil && !errors.Is(err, ErrNotForm) && !errors.Is(err, ErrForm):
		return nil, err
	}
	plain, err := r.Plain()
	if err != nil {
		return nil, err
	}
	return withoutMark(plain), nil
}

// Starved is true once a read has failed with [ErrNoMemory].
func (r *Reader) Starved() bool { return r.starved }

// Reserve asks for memory that the request needs beside its reading. It is
// false when there is none left; the request should be tried again.
func (r *Reader) Reserve(bytes int64) bool { return r.reserve(bytes) }

func (r *Reader) reserve(bytes int64) bool {
	if r.options.Reserve == nil || r.options.Reserve(bytes) {
		return true
	}
	r.starved = true
	return false
}

// withoutMark skips a byte order mark, which RFC 8259, section 8.1, lets parsers ignore.
func withoutMark(text []byte) []byte {
	return bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
}

func beginsLikeJSON(text []byte) bool {
	text = bytes.TrimLeft(withoutMark(text), " \t\r\n")
	return len(text) > 0 && (text[0] == '{' || text[0] == '[')
}
