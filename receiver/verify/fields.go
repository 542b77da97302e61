package verify

import (
	"fmt"
	"net/http"
	"strings"
)

// fields finds the delivery id and the event type of a request. They name an
// event, they prove nothing.
type fields struct {
	paths     extractor
	id        []template
	eventType []template
}

// alternatives separates templates of which the first complete one counts.
const alternatives = " | "

func compileFields(id, eventType string) (*fields, error) {
	f := &fields{}
	var err error
	if f.id, err = f.parse(id); err != nil {
		return nil, fmt.Errorf("source.scheme.id: %w", err)
	}
	if f.eventType, err = f.parse(eventType); err != nil {
		return nil, fmt.Errorf("source.scheme.eventType: %w", err)
	}
	return f, nil
}

func (f *fields) parse(pattern string) ([]template, error) {
	if pattern == "" {
		return nil, nil
	}
	var all []template
	for one := range strings.SplitSeq(pattern, alternatives) {
		t, err := parseTemplate(one, &f.paths)
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

// find returns both values, empty where the request has none.
func (f *fields) find(request *Request) (id, eventType string) {
	if len(f.paths.paths) == 0 {
		return f.first(f.id, request.Header, nil), f.first(f.eventType, request.Header, nil)
	}
	var found values
	f.paths.extract(document(request), &found)
	return f.first(f.id, request.Header, &found), f.first(f.eventType, request.Header, &found)
}

// document is the JSON of the request. Without one, or when it can be read in
// more than one way, it is empty.
func document(request *Request) []byte {
	text, err := request.read().Document()
	if err != nil {
		return nil
	}
	return text
}

func (f *fields) first(candidates []template, header http.Header, found *values) string {
	for i := range candidates {
		if text := candidates[i].fill(header, found); text != "" {
			return text
		}
	}
	return ""
}

// fill joins the parts of a template. A value that is absent ends it, so that
// "{header:X-GitHub-Event}.{json:action}" is the event alone without an action;
// without its first value there is nothing.
func (t *template) fill(header http.Header, found *values) string {
	var text, literal string
	for _, p := range t.parts {
		if p.variable == varLiteral {
			literal += p.text
			continue
		}
		value := ""
		switch p.variable {
		case varHeader:
			if lines := header[p.text]; len(lines) > 0 {
				value = lines[0]
			}
		case varJSON:
			value, _ = found.get(p.json)
		}
		if value == "" {
			break
		}
		if text == "" && literal == "" {
			text = value
		} else {
			text += literal + value
		}
		literal = ""
	}
	return text
}
