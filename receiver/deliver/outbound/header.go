package outbound

import (
	"net/http"

	"github.com/postern-dev/postern/receiver/header"
)

// forwardedHeader copies what may be forwarded: events that an earlier version
// stored were not held to the rules of this one. Values are shared with the
// event, so they must not be appended to.
func forwardedHeader(original http.Header, relayed bool) http.Header {
	forwarded := header.Forwardable(original, nil)
	if !relayed {
		// The answer is kept for people to read; the sender will not see it.
		forwarded.Del("Accept-Encoding")
	}
	if _, ok := forwarded["User-Agent"]; !ok {
		// An empty value keeps the transport from naming itself as the sender.
		forwarded["User-Agent"] = []string{""}
	}
	return forwarded
}
