package body

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"strconv"
)

const (
	// maxValues bounds the values of a body that is decoded.
	maxValues = 500_000
	// bytesPerObject and bytesPerValue estimate the memory of decoded values
	// beside their texts. A map of one entry takes about as much as one of eight.
	bytesPerObject = 400
	bytesPerValue  = 48
)

// Value returns the body's JSON as encoding/json decodes it, but for numbers:
// they are int64, uint64 or float64, or text if they are none of these. The
// result belongs to the reader and may not be changed.
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
	return withNumbers(value), nil
}

// withNumbers replaces the texts of numbers: whole numbers stay exact, because
// ids of 64 bits are common and a float would merge neighbours.
func withNumbers(value any) any {
	switch v := value.(type) {
	case json.Number:
		return number(string(v))
	case []any:
		for i := range v {
			v[i] = withNumbers(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = withNumbers(v[key])
		}
	}
	return value
}

func number(text string) any {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n
	}
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		return n
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(f, 0) {
		return text
	}
	return f
}
