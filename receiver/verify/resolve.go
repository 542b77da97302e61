package verify

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/postern-dev/postern/receiver/body"
)

// resolve finds the values of everything that is signed beside the body.
func (w *work) resolve() error {
	s := w.scheme
	if len(s.paths.paths) > 0 {
		s.paths.extract(document(w.request), &w.found)
	}
	for i, p := range s.content.parts {
		text, err := w.part(p)
		if err != nil {
			return err
		}
		w.resolved[i] = text
	}
	return nil
}

func (w *work) part(p part) (string, error) {
	switch p.variable {
	case varLiteral:
		return p.text, nil
	case varTimestamp:
		return w.time()
	case varID:
		return w.id()
	case varMethod:
		return w.request.Method, nil
	case varURL:
		return SignedURL(w.scheme.url, w.request.RawQuery), nil
	case varBaseURL:
		base, _, _ := strings.Cut(w.scheme.url, "?")
		return base, nil
	case varDecodedURL:
		return decodeReserved(SignedURL(w.scheme.url, w.request.RawQuery)), nil
	case varPayload:
		return w.payload()
	default:
		return w.field(p)
	}
}

// field returns a field of the request that is signed.
func (w *work) field(p part) (string, error) {
	switch p.variable {
	case varHeader:
		return w.header(p.text, SignatureMalformed)
	case varJSON:
		if text, ok := w.found.get(p.json); ok {
			return text, nil
		}
		return "", refuse(SignatureMalformed, "the body lacks a field that is signed")
	case varQuery:
		if text, ok := queryParameter(w.request, p.text); ok {
			return text, nil
		}
		return "", refusef(SignatureMalformed, "query parameter %s, which is signed, must occur once", p.text)
	case varForm:
		if text, ok := formField(w.request, p.text); ok {
			return text, nil
		}
		return "", refusef(SignatureMalformed, "form field %s, which is signed, must occur once", p.text)
	default:
		return "", nil
	}
}

// payload returns the parameter payload. It must be all that the request has:
// other parameters would not be signed.
func (w *work) payload() (string, error) {
	if w.request.Method == http.MethodGet {
		text, ok := queryParameter(w.request, "payload")
		if !ok || len(w.request.Body) > 0 {
			return "", refuse(SignatureMalformed, "a GET must have one query parameter payload and no body")
		}
		return text, nil
	}
	values, err := w.request.read().Form()
	switch {
	case errors.Is(err, body.ErrNotForm):
		w.plainPayload = true
		return "", nil
	case errors.Is(err, body.ErrNoMemory):
		return "", err
	case err != nil:
		return "", refuse(SignatureMalformed, err.Error())
	}
	text, ok := only(values, "payload")
	if !ok || !onlyParameters(values, "payload") {
		return "", refuse(SignatureMalformed, "the form has other parameters than one payload, which is all that is signed")
	}
	return text, nil
}

func (w *work) id() (string, error) {
	if w.scheme.idHeader != "" {
		return w.header(w.scheme.idHeader, SignatureMalformed)
	}
	if text, ok := w.found.get(w.scheme.idPath); ok {
		return text, nil
	}
	return "", refuse(SignatureMalformed, "the body has no id, which is signed")
}

// SignedURL returns the URL that a provider signs: scheme, host and path as
// configured there, with the query that the request brought. Only the query
// can vary between requests; all else would be the sender's own claim.
func SignedURL(configured, rawQuery string) string {
	if rawQuery == "" {
		return configured
	}
	base, _, _ := strings.Cut(configured, "?")
	return base + "?" + rawQuery
}

// reserved are the characters that HubSpot decodes in a URL before signing it.
var reserved = strings.NewReplacer(
	"%3A", ":", "%2F", "/", "%3F", "?", "%40", "@", "%21", "!", "%24", "$", "%27", "'", "%28", "(", "%29", ")",
	"%2A", "*", "%2C", ",", "%3B", ";",
	"%3a", ":", "%2f", "/", "%3f", "?", "%2a", "*", "%2c", ",", "%3b", ";",
)

func decodeReserved(text string) string { return reserved.Replace(text) }

// writeContent writes what is signed.
func (w *work) writeContent(to io.Writer, body []byte) {
	for i, p := range w.scheme.content.parts {
		if p.variable == varBody || p.variable == varPayload && w.plainPayload {
			_, _ = to.Write(body)
			continue
		}
		w.writeText(to, w.resolved[i])
	}
}

// writeText copies through the pooled buffer: a conversion would allocate.
func (w *work) writeText(to io.Writer, text string) {
	for text != "" {
		n := copy(w.text[:], text)
		_, _ = to.Write(w.text[:n])
		text = text[n:]
	}
}
