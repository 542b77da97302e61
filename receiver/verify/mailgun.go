package verify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"mime"
	"mime/multipart"

	"github.com/postern-dev/postern/receiver/route"
)

// mailgun judges webhooks whose signature stands in the body and covers a
// timestamp and a token, not the event.
type mailgun struct {
	keys      []key
	tolerance tolerance
	fields    extractor
}

// maxFormField bounds a field of a multipart form that is read.
const maxFormField = 1024

var mailgunFields = []string{"timestamp", "token", "signature"}

func newMailgun(m material) (judge, error) {
	j := &mailgun{keys: m.keys, tolerance: m.tolerance}
	for _, field := range mailgunFields {
		if _, err := j.fields.add("signature." + field); err != nil {
			return nil, err
		}
	}
	return j, nil
}

func (j *mailgun) judge(_ context.Context, request *Request) (proof, error) {
	f := j.read(request)
	timestamp, token, text := f[0], f[1], f[2]
	if timestamp == "" || token == "" || text == "" {
		return proof{}, refuse(SignatureMissing, "the body has no timestamp, token and signature")
	}
	var signature [sha256.Size]byte
	if !decodeExactly(signature[:], route.EncodingHex, []byte(text)) {
		return proof{}, refuse(SignatureMalformed, "the body's signature is not hexadecimal of 32 bytes")
	}
	for _, k := range j.keys {
		if !secretEqual(hmacSum(sha256.New, []byte(k.text), []byte(timestamp), []byte(token)), signature[:]) {
			continue
		}
		at, ok := parseTimestamp(timestamp, route.UnitSeconds)
		if !ok {
			return proof{}, refuse(TimestampMissing, "the signed timestamp is not a time in seconds")
		}
		return proof{key: k.name, id: token}, j.tolerance.check(at, request.Now)
	}
	return proof{}, refuse(SignatureMismatch, "no active key gives this signature")
}

// read returns timestamp, token and signature, from JSON or from the older
// form posts.
func (j *mailgun) read(request *Request) (result [3]string) {
	kind, parameters, _ := mime.ParseMediaType(request.Header.Get("Content-Type"))
	switch kind {
	case "application/x-www-form-urlencoded":
		return readForm(request)
	case "multipart/form-data":
		return readMultipart(request.Body, parameters["boundary"])
	}
	var found values
	j.fields.extract(document(request), &found)
	for i := range result {
		result[i], _ = found.get(i)
	}
	return result
}

func readForm(request *Request) (result [3]string) {
	form, err := request.read().Form()
	if err != nil {
		return result
	}
	for i, field := range mailgunFields {
		result[i], _ = only(form, field)
	}
	return result
}

func readMultipart(body []byte, boundary string) (result [3]string) {
	reader := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		part, err := reader.NextPart()
		if err != nil {
			return result
		}
		for i, field := range mailgunFields {
			if part.FormName() != field {
				continue
			}
			text, err := io.ReadAll(io.LimitReader(part, maxFormField))
			if err != nil || result[i] != "" {
				return [3]string{}
			}
			result[i] = string(text)
		}
	}
}
