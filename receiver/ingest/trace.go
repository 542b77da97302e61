package ingest

import (
	"net/http"
	"slices"
	"strings"
)

// hopByHop are headers of one connection, not of the message (RFC 9110, 7.6.1),
// and those that the next client sets for itself. traceparent travels in the
// event and is set anew.
var hopByHop = map[string]bool{
	"Connection":          true,
	"Content-Length":      true,
	"Expect":              true,
	"Http2-Settings":      true,
	"Keep-Alive":          true,
	"Proxy-Authenticate":  true,
	"Proxy-Authorization": true,
	"Proxy-Connection":    true,
	"Te":                  true,
	"Traceparent":         true,
	"Trailer":             true,
	"Transfer-Encoding":   true,
	"Upgrade":             true,
}

// claimed are headers that say who sent the request, or that Postern sets: a
// target must be able to trust them, so that a sender's are never passed on.
func claimed(name string) bool {
	switch name {
	case "Forwarded", "X-Real-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "True-Client-Ip", "Via":
		return true
	}
	return strings.HasPrefix(name, "X-Forwarded-") || strings.HasPrefix(name, "Postern-")
}

// forwardable picks the headers that targets get; nobody changes their values.
// credentials are the headers that carry a secret of the scheme.
func forwardable(header http.Header, credentials []string) http.Header {
	listed := listedInConnection(header)
	kept := make(http.Header, len(header))
	for name, values := range header {
		canonical := name // the server has seen to that
		if strings.Contains(name, "_") {
			// Names are compared as a lenient target would read them.
			canonical = http.CanonicalHeaderKey(strings.ReplaceAll(name, "_", "-"))
		}
		if hopByHop[canonical] || claimed(canonical) || listed[canonical] || slices.Contains(credentials, canonical) {
			continue
		}
		kept[name] = values
	}
	return kept
}

func listedInConnection(header http.Header) map[string]bool {
	var listed map[string]bool
	for _, line := range header.Values("Connection") {
		for name := range strings.SplitSeq(line, ",") {
			if listed == nil {
				listed = map[string]bool{}
			}
			listed[http.CanonicalHeaderKey(strings.TrimSpace(name))] = true
		}
	}
	return listed
}

// traceParent returns the W3C trace context of the request if it is well-formed.
func traceParent(header http.Header) string {
	values := header.Values("Traceparent")
	if len(values) != 1 {
		return ""
	}
	parts := strings.Split(values[0], "-")
	if len(parts) != 4 || parts[0] != "00" {
		return ""
	}
	if !isHex(parts[1], 32) || !isHex(parts[2], 16) || !isHex(parts[3], 2) {
		return ""
	}
	if strings.Trim(parts[1], "0") == "" || strings.Trim(parts[2], "0") == "" {
		return ""
	}
	return values[0]
}

func isHex(text string, length int) bool {
	return len(text) == length && strings.Trim(text, "0123456789abcdef") == ""
}
