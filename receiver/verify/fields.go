package verify

import (
	"fmt"
	"strings"
)

// fields finds the delivery id and the event type of a request. They name an
// event, they prove nothing.
type fields struct {
	paths extractor
	id    []template
	// beside are the parts that tell events apart which share an id.
	beside    []template
	eventType []template
	// second is the index of the path that only a batch has; nil for none.
	second *int
}

// alternatives separates templates of which the first complete one counts.
const alternatives = " | "

func compileFields(id string, beside []string, eventType string) (*fields, error) {
	f := &fields{}
	var err error
	if f.id, err = f.parse(id); err != nil {
		return nil, fmt.Errorf("source.scheme.id: %w", err)
	}
	if f.eventType, err = f.parse(eventType); err != nil {
		return nil, fmt.Errorf("source.scheme.eventType: %w", err)
	}
	for _, pattern := range beside {
		t, err := parseTemplate(pattern, &f.paths)
		if err != nil {
			return nil, fmt.Errorf("distinguishedBy: %w", err)
		}
		f.beside = append(f.beside, t)
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

// batches makes requests that have the path lack a delivery id.
func (f *fields) batches(path string) error {
	if path == "" {
		return nil
	}
	index, err := f.paths.add(path)
	f.second = &index
	return err
}

// extract reads the JSON values that the templates name.
func (f *fields) extract(request *Request, into *values) {
	if len(f.paths.paths) > 0 {
		f.paths.extract(document(request), into)
	}
}

// deliveryID returns the id, empty for a batch, which has several.
func (f *fields) deliveryID(request *Request, found *values) string {
	if f.batch(found) {
		return ""
	}
	return first(f.id, request, found)
}

func (f *fields) batch(found *values) bool {
	if f.second == nil {
		return false
	}
	_, batch := found.get(*f.second)
	return batch
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

// first returns the first alternative that the request has.
func first(candidates []template, request *Request, found *values) string {
	for i := range candidates {
		if text := candidates[i].fill(request, found); text != "" {
			return text
		}
	}
	return ""
}

// fill joins the parts of a template. A value that is absent ends it, so that
// "{header:X-GitHub-Event}.{json:action}" is the event alone without an action;
// without its first value there is nothing.
func (t *template) fill(request *Request, found *values) string {
	var text, literal string
	for _, p := range t.parts {
		if p.variable == varLiteral {
			literal += p.text
			continue
		}
		value := p.read(request, found)
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

// read returns the value of a variable, empty where the request lacks it.
func (p *part) read(request *Request, found *values) string {
	value := ""
	switch p.variable {
	case varHeader:
		if lines := request.Header[p.text]; len(lines) > 0 {
			value = lines[0]
		}
	case varJSON:
		value, _ = found.get(p.json)
	case varQuery:
		value, _ = queryParameter(request, p.text)
	case varForm:
		value, _ = formField(request, p.text)
	}
	return value
}
