package outbound

import (
	"net/http"
	"strings"
)

// dropped are headers of one hop, of the sender's own proxies, or written anew
// by the transport. Names are lower case with dashes.
var dropped = map[string]bool{
	"connection":          true,
	"keep-alive":          true,
	"proxy-authenticate":  true,
	"proxy-authorization": true,
	"proxy-connection":    true,
	"te":                  true,
	"trailer":             true,
	"transfer-encoding":   true,
	"upgrade":             true,
	"http2-settings":      true,
	"expect":              true,
	"host":                true,
	"content-length":      true,
	"forwarded":           true,
	"x-real-ip":           true,
	// The trace goes on from the event, or not at all.
	"traceparent": true,
	"tracestate":  true,
}

// Forwardable tells whether a sender's header may reach a target. Underscores
// count as dashes, because many servers read them so.
func Forwardable(name string) bool {
	name = strings.ToLower(strings.ReplaceAll(name, "_", "-"))
	return !dropped[name] && !strings.HasPrefix(name, "postern-") && !strings.HasPrefix(name, "x-forwarded-")
}

// forwardedHeader copies what may be forwarded. Values are shared with the
// event, so they must not be appended to.
func forwardedHeader(original http.Header, relayed bool) http.Header {
	header := make(http.Header, len(original)+10)
	for name, values := range original {
		if Forwardable(name) {
			header[name] = values[:len(values):len(values)]
		}
	}
	for _, values := range original["Connection"] {
		for name := range strings.SplitSeq(values, ",") {
			header.Del(strings.TrimSpace(name))
		}
	}
	if !relayed {
		// The answer is kept for people to read; the sender will not see it.
		header.Del("Accept-Encoding")
	}
	if _, ok := header["User-Agent"]; !ok {
		// An empty value keeps the transport from naming itself as the sender.
		header["User-Agent"] = []string{""}
	}
	return header
}

// relayedHeader copies the headers of an answer that are not of one hop.
func relayedHeader(original http.Header) http.Header {
	header := original.Clone()
	for _, values := range original["Connection"] {
		for name := range strings.SplitSeq(values, ",") {
			header.Del(strings.TrimSpace(name))
		}
	}
	for name := range original {
		if dropped[strings.ToLower(name)] {
			delete(header, name)
		}
	}
	return header
}
