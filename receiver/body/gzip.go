package body

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
)

// firstBuffer is what a decompressed body gets at least to begin with.
const firstBuffer = 4 << 10

// decompress removes the content encoding. RFC 9110, section 8.4.1.3, has
// x-gzip as another name of gzip.
func (r *Reader) decompress() ([]byte, error) {
	if len(r.encoding) > 1 {
		return nil, ErrEncoding
	}
	if len(r.encoding) == 1 {
		switch strings.ToLower(strings.TrimSpace(r.encoding[0])) {
		case "gzip", "x-gzip":
			return r.gunzip()
		case "", "identity":
		default:
			return nil, ErrEncoding
		}
	}
	return r.raw, nil
}

// gunzip accepts one gzip member and nothing after it: decoders differ in what
// they make of the rest.
func (r *Reader) gunzip() ([]byte, error) {
	rest := bytes.NewReader(r.raw)
	stream, err := gzip.NewReader(rest)
	if err != nil {
		return nil, ErrGzip
	}
	stream.Multistream(false)
	plain, err := r.readAll(stream, int64(len(r.raw)))
	if err != nil {
		return nil, err
	}
	if rest.Len() > 0 {
		return nil, ErrGzip
	}
	return plain, nil
}

// readAll doubles its buffer, so that memory follows what there is. Every buffer
// counts until the end of the request, as the garbage collector may keep it.
func (r *Reader) readAll(stream io.Reader, compressed int64) ([]byte, error) {
	limit := Expansion * r.options.MaxBytes
	size := min(max(2*compressed, firstBuffer), limit+1)
	var plain []byte
	for {
		if len(plain) == cap(plain) {
			if !r.reserve(size) {
				return nil, ErrNoMemory
			}
			plain = append(make([]byte, 0, size), plain...)
			size = min(2*size, limit+1)
		}
		n, err := stream.Read(plain[len(plain):cap(plain)])
		plain = plain[:len(plain)+n]
		switch {
		case int64(len(plain)) > limit:
			return nil, ErrTooLarge
		case errors.Is(err, io.EOF):
			return plain, nil
		case err != nil:
			return nil, ErrGzip
		}
	}
}
