package verify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"mime"
	"mime/multipart"
	"slices"

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

// mailgunFields are the parts of a signature. Events of a subaccount have a
// second one, made with the key of the primary account.
var mailgunFields = []string{"timestamp", "token", "signature", "parent-signature"}

const (
	mailgunTimestamp = iota
	mailgunToken
	mailgunSignature
	mailgunParent
)

// mailgunProof are the texts of mailgunFields, empty where one is absent.
type mailgunProof [4]string

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
	f, ok := j.read(request)
	switch {
	case !ok:
		return proof{}, refuse(SignatureMalformed, "a part of the signature occurs more than once or is not a text")
	case f[mailgunTimestamp] == "" || f[mailgunToken] == "" || f[mailgunSignature]+f[mailgunParent] == "":
		return proof{}, refuse(SignatureMissing, "the body has no timestamp, token and signature")
	}
	decoded := false
	for _, text := range f[mailgunSignature:] {
		var signature [sha256.Size]byte
		if !decodeExactly(signature[:], route.EncodingHex, []byte(text)) {
			continue
		}
		decoded = true
		if p, ok := j.match(&f, signature[:]); ok {
			at, ok := parseTimestamp(f[mailgunTimestamp], route.UnitSeconds)
			if !ok {
				return proof{}, refuse(TimestampMissing, "the signed timestamp is not a time in seconds")
			}
			return p, j.tolerance.check(at, request.Now)
		}
	}
	if !decoded {
		return proof{}, refuse(SignatureMalformed, "the body's signature is not hexadecimal of 32 bytes")
	}
	return proof{}, refuse(SignatureMismatch, "no active key gives this signature")
}

// match returns the proof of the key that made the signature.
func (j *mailgun) match(f *mailgunProof, signature []byte) (proof, bool) {
	for _, k := range j.keys {
		sum := hmacSum(sha256.New, []byte(k.text), []byte(f[mailgunTimestamp]), []byte(f[mailgunToken]))
		if secretEqual(sum, signature) {
			return proof{key: k.name, id: f[mailgunToken], signedTime: f[mailgunTimestamp] + " " + f[mailgunToken]}, true
		}
	}
	return proof{}, false
}

// read returns the parts of the signature, from JSON or from the older form
// posts. It is false when one of them is there in more than one way.
func (j *mailgun) read(request *Request) (result mailgunProof, ok bool) {
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
	return result, found.ambiguous == 0
}

func readForm(request *Request) (result mailgunProof, ok bool) {
	form, err := request.read().Form()
	for i, field := range mailgunFields {
		if len(form[field]) > 1 {
			return mailgunProof{}, false
		}
		result[i] = form.Get(field)
	}
	return result, err == nil
}

func readMultipart(body []byte, boundary string) (result mailgunProof, ok bool) {
	reader := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		part, err := reader.NextPart()
		if err != nil {
			return result, true
		}
		i := slices.Index(mailgunFields, part.FormName())
		if i < 0 {
			continue
		}
		text, err := io.ReadAll(io.LimitReader(part, maxFormField))
		if err != nil || result[i] != "" {
			return mailgunProof{}, false
		}
		result[i] = string(text)
	}
}
