package body

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

const (
	// maxValues bounds the values of a body that is decoded.
	maxValues = 500_000
	// bytesPerObject and bytesPerValue estimate the memory of decoded values
	// beside their texts. A map of one entry takes about as much as one of eight.
	bytesPerObject = 400
	bytesPerValue  = 48
)

// Value returns the body's JSON, decoded as by [json.Decoder.UseNumber]. The
// result belongs to the reader.
func (r *Reader) Value() (any, error) {
	return r.value.get(r.decode)
}

func (r *Reader) decode() (any, error) {
	document, err := r.Document()
	if err != nil {
		return nil, err
	}
	objects := bytes.Count(document, []byte{'{'})
	values := bytes.Count(document, []byte{','}) + bytes.Count(document, []byte{'['}) + objects
	if values > maxValues {
		return nil, ErrTooComplex
	}
	// The decoder has a copy of the document, of up to twice its size.
	if !r.reserve(3*int64(len(document)) + int64(objects)*bytesPerObject + int64(values)*bytesPerValue) {
		return nil, ErrNoMemory
	}
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, ErrNotJSON // the library's error quotes the body
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, ErrNotJSON
	}
	return value, nil
}
