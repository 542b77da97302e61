package verify

import (
	"errors"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/postern-dev/postern/receiver/body"
)

// form decodes a form body. Anything ambiguous is refused, because the schemes
// that sign decoded parameters leave no other chance to notice it.
func form(request *Request) (url.Values, error) {
	values, err := request.read().Form()
	if errors.Is(err, body.ErrNoMemory) {
		return nil, err
	}
	if err != nil {
		return nil, refuse(SignatureMalformed, err.Error())
	}
	return values, nil
}

// isForm is true for form bodies; a missing content type counts as one.
func isForm(header http.Header) bool {
	text := header.Get("Content-Type")
	if text == "" {
		return true
	}
	mediaType, _, _ := mime.ParseMediaType(text)
	return mediaType == "application/x-www-form-urlencoded"
}

// only returns the one value of a parameter.
func only(values url.Values, name string) (string, bool) {
	if len(values[name]) != 1 || values[name][0] == "" {
		return "", false
	}
	return values[name][0], true
}

// onlyParameters is true for a form that has parameters, and none but these.
func onlyParameters(values url.Values, names ...string) bool {
	for name := range values {
		if !slices.Contains(names, name) {
			return false
		}
	}
	return len(values) > 0
}

// sortedParameters joins names and values, sorted by name and then by value,
// each distinct pair once.
func sortedParameters(values url.Values) string {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, value := range slices.Compact(slices.Sorted(slices.Values(values[name]))) {
			text.WriteString(name)
			text.WriteString(value)
		}
	}
	return text.String()
}

// proofHeader returns the value of a header that carries proof and must occur once.
func (r *Request) proofHeader(name string) (string, error) {
	return r.onceHeader(name, SignatureMissing)
}

func (r *Request) timeHeader(name string) (string, error) {
	return r.onceHeader(name, TimestampMissing)
}

func (r *Request) onceHeader(name string, missing Reason) (string, error) {
	lines := r.Header.Values(name)
	switch {
	case len(lines) == 0 || lines[0] == "":
		return "", refusef(missing, "header %s is missing", name)
	case len(lines) > 1:
		return "", refusef(SignatureMalformed, "header %s occurs %d times", name, len(lines))
	}
	return lines[0], nil
}

// queryParameter returns the one value of a query parameter.
func queryParameter(request *Request, name string) (string, bool) {
	values, err := url.ParseQuery(request.RawQuery)
	if err != nil {
		return "", false
	}
	return only(values, name)
}

// formField returns the one value of a form field.
func formField(request *Request, name string) (string, bool) {
	values, err := request.read().Form()
	if err != nil {
		return "", false
	}
	return only(values, name)
}
