package verify

import (
	"fmt"
	"net/http"
	"strings"
)

// variable is what a part of a template stands for.
type variable uint8

const (
	varLiteral variable = iota
	varBody
	varTimestamp
	varID
	varMethod
	varURL
	// varBaseURL is the URL without its query, as Plivo signs it.
	varBaseURL
	// varDecodedURL is the URL with some escapes decoded, as HubSpot signs it.
	varDecodedURL
	// varPayload is the JSON that Gitea signs: the parameter payload of a form or
	// of the query, or else the body.
	varPayload
	varHeader
	varJSON
	varQuery
	varForm
)

var variableNames = map[string]variable{
	"body": varBody, "timestamp": varTimestamp, "id": varID, "method": varMethod,
	"url": varURL, "baseURL": varBaseURL, "decodedURL": varDecodedURL, "payload": varPayload,
}

// part is a literal or a variable of a template.
type part struct {
	variable variable
	// text is the literal, the header's canonical name, or the parameter's name.
	text string
	// json is the index of the path in the template's extractor.
	json int
}

// maxParts bounds a template, so that its values fit in a fixed array.
const maxParts = 24

// template is a compiled pattern such as "v0:{timestamp}:{body}".
type template struct {
	parts []part
}

// uses is true when the template has the variable.
func (t *template) uses(v variable) bool {
	for _, p := range t.parts {
		if p.variable == v {
			return true
		}
	}
	return false
}

// parseTemplate compiles a pattern; JSON paths are added to the extractor.
func parseTemplate(pattern string, paths *extractor) (template, error) {
	var t template
	rest := pattern
	for rest != "" {
		open := strings.IndexAny(rest, "{}")
		if open != 0 {
			literal := rest
			if open > 0 {
				literal = rest[:open]
			}
			t.parts = append(t.parts, part{variable: varLiteral, text: literal})
			rest = rest[len(literal):]
			continue
		}
		end := strings.IndexByte(rest, '}')
		if rest[0] == '}' || end < 0 {
			return t, fmt.Errorf("%q has an unpaired brace", pattern)
		}
		p, err := parseVariable(rest[1:end], paths)
		if err != nil {
			return t, fmt.Errorf("%q: %w", pattern, err)
		}
		t.parts = append(t.parts, p)
		rest = rest[end+1:]
	}
	if len(t.parts) > maxParts {
		return t, fmt.Errorf("%q has %d parts, at most %d are possible", pattern, len(t.parts), maxParts)
	}
	return t, nil
}

func parseVariable(name string, paths *extractor) (part, error) {
	if v, ok := variableNames[name]; ok {
		return part{variable: v}, nil
	}
	kind, argument, _ := strings.Cut(name, ":")
	switch {
	case kind == "header" && validHeaderName(argument):
		return part{variable: varHeader, text: http.CanonicalHeaderKey(argument)}, nil
	case kind == "header":
		return part{}, fmt.Errorf("{%s}: %q is not a header name", name, argument)
	case kind == "json":
		index, err := paths.add(argument)
		return part{variable: varJSON, json: index}, err
	case kind == "query" && argument != "":
		return part{variable: varQuery, text: argument}, nil
	case kind == "form" && argument != "":
		return part{variable: varForm, text: argument}, nil
	default:
		return part{}, fmt.Errorf("{%s} is unknown; a template knows {body}, {timestamp}, {id}, {method}, {url}, "+
			"{header:NAME}, {json:PATH}, {query:NAME} and {form:NAME}", name)
	}
}

func validHeaderName(name string) bool {
	for i := range len(name) {
		c := name[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return name != ""
}
