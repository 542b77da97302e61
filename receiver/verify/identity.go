package verify

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/postern-dev/postern/receiver/route"
)

// Same is what makes another request the same event as this one.
type Same struct {
	// By is the identity of this request. It is weaker than that of its preset
	// where the request lacks the id or the signed time.
	By Identity
	// Key is the id and everything beside it that tells events apart, joined so
	// that different parts never give the same text. It is set for ID.
	Key string
	// SignedTime is the text of the signed time or nonce, and of all that tells
	// events apart beside it. It is set for Request.
	SignedTime string
	// Signed is the digest of all that is signed, a time included, where the
	// signature does not cover the id: then a request with this digest is the same
	// one, whatever id it claims. It is empty otherwise.
	Signed string
}

// same finds the identity of a verified request. found are the JSON values.
func (v *verifier) same(request *Request, p *proof, found *values) Same {
	if v.identity == IdentityID {
		if key := v.fields.key(request, p, found); key != "" {
			return Same{By: IdentityID, Key: key, Signed: p.signed}
		}
	}
	if v.identity != IdentityNone && p.signedTime != "" {
		return Same{By: IdentityRequest, SignedTime: string(v.fields.appendBeside([]byte(p.signedTime), request, found))}
	}
	return Same{By: IdentityNone}
}

// shortKey is the length of keys that are put together without an allocation.
const shortKey = 128

// key joins the id with what tells events apart beside it. It is empty for a
// request without an id.
func (f *fields) key(request *Request, p *proof, found *values) string {
	if p.identity != "" {
		return p.identity
	}
	key := make([]byte, 0, shortKey)
	if p.id != "" {
		key = appendPart(append(key, 'p'), p.id)
	}
	for i := range f.id {
		if len(key) > 0 || f.batch(found) {
			break
		}
		// An id of one alternative is another one than the same text of the next.
		if f.id[i].fill(request, found) != "" {
			key = f.id[i].appendKey(append(key, byte('0'+i)), request, found)
		}
	}
	if len(key) == 0 {
		return ""
	}
	return string(f.appendBeside(key, request, found))
}

// appendBeside appends what tells events apart beside the id or the signed time.
func (f *fields) appendBeside(key []byte, request *Request, found *values) []byte {
	for i := range f.beside {
		key = f.beside[i].appendKey(key, request, found)
	}
	return key
}

// appendKey appends the template's variables, the absent ones as empty.
func (t *template) appendKey(key []byte, request *Request, found *values) []byte {
	for i := range t.parts {
		if t.parts[i].variable != varLiteral {
			key = appendPart(key, t.parts[i].read(request, found))
		}
	}
	return key
}

// appendPart writes the length before the text: no two lists of parts are joined alike.
func appendPart(key []byte, text string) []byte {
	return append(binary.AppendUvarint(key, uint64(len(text))), text...)
}

// declareIdentity fills in the identity of a user's own scheme: by the id that
// it names, else by the signed time.
func declareIdentity(p *Preset, s *route.Scheme) {
	switch {
	case p.DeliveryID != "":
		p.Identity, p.IDSigned = IdentityID, signsID(s)
	case timestamped(s):
		p.Identity = IdentityRequest
	default:
		p.Identity = IdentityNone
	}
}

// signsID is true when the signature covers every place where the id may stand.
func signsID(s *route.Scheme) bool {
	if s.Algorithm == route.AlgorithmToken || s.Algorithm == route.AlgorithmBasicAuth {
		return false
	}
	content := strings.ToLower(s.Content)
	covers := func(variables ...string) bool {
		return slices.ContainsFunc(variables, func(variable string) bool {
			return strings.Contains(content, strings.ToLower(variable))
		})
	}
	if s.ID.Header != "" && !covers("{id}", "{header:"+s.ID.Header+"}") {
		return false
	}
	named := covers("{body}") || s.ID.Header == "" && covers("{id}") || strings.Contains(s.Content, "{json:"+s.ID.JSON+"}")
	return s.ID.JSON == "" || s.Content == "" || named
}
