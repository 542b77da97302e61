package verify

import (
	"bytes"
	"context"
)

// bodySecret judges requests that carry the secret in their JSON body, for
// batches in every item.
type bodySecret struct {
	keys  []key
	items string
	field extractor
}

// bodyToken builds judges of a secret at path, in each element of the array
// items or, without items, in the body itself.
func bodyToken(items, path string) func(material) (judge, error) {
	return func(m material) (judge, error) {
		j := &bodySecret{keys: m.keys, items: items}
		_, err := j.field.add(path)
		return j, err
	}
}

func (j *bodySecret) judge(_ context.Context, request *Request) (proof, error) {
	parts := [][]byte{document(request)}
	if j.items != "" {
		var ok bool
		if parts, ok = jsonItems(document(request), j.items); !ok || len(parts) == 0 {
			return proof{}, refusef(SignatureMissing, "the body has no array %s", j.items)
		}
	}
	var matched proof
	for _, part := range parts {
		name, err := j.one(part)
		if err != nil {
			return proof{}, err
		}
		matched.key = name
	}
	return matched, nil
}

// one returns the name of the key that one item carries.
func (j *bodySecret) one(item []byte) (string, error) {
	var found values
	j.field.extract(item, &found)
	presented, ok := found.get(0)
	if !ok || presented == "" {
		return "", refusef(SignatureMissing, "the body has no %s", j.field.paths[0][0])
	}
	for _, k := range j.keys {
		if secretEqual(presented, k.text) {
			return k.name, nil
		}
	}
	return "", refuse(SignatureMismatch, "no active key equals the credential sent")
}

// jsonItems returns the raw elements of the array name of a JSON object. Like
// the extractor it is strict: a member that occurs twice, or again in another
// case, is not found.
func jsonItems(body []byte, name string) ([][]byte, bool) {
	w := walker{scanner: scanner{data: body}, into: new(values)}
	w.space()
	if w.peek() != '{' {
		return nil, false
	}
	w.pos++
	var items [][]byte
	seen := false
	for {
		w.space()
		member, ok := w.name(^uint32(0))
		if !ok || bytes.EqualFold(member, []byte(name)) && (seen || string(member) != name) {
			return nil, false
		}
		w.space()
		if string(member) == name {
			seen = true
			items, ok = w.elements()
		} else {
			ok = w.value(0, 1)
		}
		if !ok {
			return nil, false
		}
		if done, ok := w.more('}'); !ok || done {
			return items, ok && seen && w.atEnd()
		}
	}
}

// elements reads an array and returns the text of its elements.
func (w *walker) elements() ([][]byte, bool) {
	if !w.accept('[') {
		return nil, false
	}
	w.space()
	if w.accept(']') {
		return nil, true
	}
	var items [][]byte
	for {
		w.space()
		start := w.pos
		if !w.value(0, 2) {
			return nil, false
		}
		items = append(items, w.data[start:w.pos])
		if done, ok := w.more(']'); !ok || done {
			return items, ok
		}
	}
}
