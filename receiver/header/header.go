// Package header decides which of a sender's headers reach a target.
//
// Servers read names differently: CGI and WSGI take X_Forwarded_For for
// X-Forwarded-For, PHP does so with dots. A name is therefore compared in the
// form that such a server would give it. The package imports only the standard
// library; ingest and deliver both use it.
package header

import (
	"net/http"
	"slices"
	"strings"
)

// dropped are headers of one connection (RFC 9110, 7.6.1), those that say which
// way a request came, and those that the next client writes anew. The trace
// travels in the event. Names are folded.
var dropped = map[string]bool{
	"connection":          true,
	"content-length":      true,
	"expect":              true,
	"forwarded":           true,
	"host":                true,
	"http2-settings":      true,
	"keep-alive":          true,
	"proxy-authenticate":  true,
	"proxy-authorization": true,
	"proxy-connection":    true,
	"te":                  true,
	"traceparent":         true,
	"tracestate":          true,
	"trailer":             true,
	"transfer-encoding":   true,
	"true-client-ip":      true,
	"upgrade":             true,
	"via":                 true,
	"x-client-ip":         true,
	"x-cluster-client-ip": true,
	"x-real-ip":           true,
}

// droppedPrefixes begin names that Postern or a proxy sets, folded.
var droppedPrefixes = []string{"postern-", "x-forwarded-"}

// Forwardable returns the headers that a target may get. Their values are those
// of original, which must not be changed. Headers named in Connection, and the
// credentials, which are names in any spelling, are left out.
//
// Of two headers that differ only in their separators, the one with dashes is kept.
func Forwardable(original http.Header, credentials []string) http.Header {
	private := foldAll(credentials)
	for _, line := range original["Connection"] {
		private = append(private, foldAll(strings.Split(line, ","))...)
	}
	kept := make(http.Header, len(original)+10)
	var buffer [64]byte
	for name, values := range original {
		folded := appendFolded(buffer[:0], name)
		if dropped[string(folded)] || hasDroppedPrefix(string(folded)) || slices.Contains(private, string(folded)) {
			continue
		}
		if !plain(name) && shadowed(original, name, string(folded)) {
			continue
		}
		kept[name] = values[:len(values):len(values)]
	}
	return kept
}

// Remove deletes the headers of the given names in every spelling. A name that
// ends in a dash stands for all that begin with it.
func Remove(header http.Header, names ...string) {
	var buffer [64]byte
	for present := range header {
		folded := appendFolded(buffer[:0], present)
		for _, name := range names {
			if same := Fold(name); string(folded) == same ||
				strings.HasSuffix(same, "-") && strings.HasPrefix(string(folded), same) {
				delete(header, present)
				break
			}
		}
	}
}

// Fold returns the name as servers read it that make no difference between
// cases and separators: lower case, with a dash for everything else.
func Fold(name string) string { return string(appendFolded(nil, name)) }

func appendFolded(buffer []byte, name string) []byte {
	for i := range len(name) {
		c := name[i]
		switch {
		case c >= 'A' && c <= 'Z':
			c += 'a' - 'A'
		case !alphanumeric(c):
			c = '-'
		}
		buffer = append(buffer, c)
	}
	return buffer
}

func foldAll(names []string) []string {
	folded := make([]string, 0, len(names))
	for _, name := range names {
		folded = append(folded, Fold(strings.TrimSpace(name)))
	}
	return folded
}

func hasDroppedPrefix(folded string) bool {
	return slices.ContainsFunc(droppedPrefixes, func(prefix string) bool { return strings.HasPrefix(folded, prefix) })
}

// plain tells whether letters, digits and dashes are all that a name has.
func plain(name string) bool {
	for i := range len(name) {
		if c := name[i]; c != '-' && !alphanumeric(c) {
			return false
		}
	}
	return true
}

// shadowed tells whether another header folds to the same name and comes first:
// the one with dashes, or else the first in the order of bytes.
func shadowed(header http.Header, name, folded string) bool {
	for other := range header {
		if other != name && Fold(other) == folded && (plain(other) || other < name) {
			return true
		}
	}
	return false
}

func alphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}
