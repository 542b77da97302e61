package verify

import (
	"encoding/json"
	"net/http"
)

// greeting is what a handshake may use. Handshakes come in two kinds: greet
// answers requests without proof (a challenge in the query of a GET), answer
// those that have already been verified. Both return nil for requests that are
// no handshake, and a rejection for a handshake that is not acceptable.
type greeting struct {
	keys    []key
	options map[string]string
}

// has is true when text is one of the keys.
func (g *greeting) has(text string) bool {
	for _, k := range g.keys {
		if secretEqual(k.text, text) {
			return true
		}
	}
	return false
}

// text returns the key of that name.
func (g *greeting) text(name string) string {
	for _, k := range g.keys {
		if k.name == name {
			return k.text
		}
	}
	return ""
}

// maxChallenge bounds what is echoed to a caller that has proved nothing.
const maxChallenge = 4096

// reply is an answer of the given type. Content sniffing is off, because some
// challenges are echoed to whoever asks.
func reply(status int, contentType string, body []byte) *Response {
	header := http.Header{"X-Content-Type-Options": {"nosniff"}}
	if contentType != "" {
		header.Set("Content-Type", contentType)
	}
	return &Response{Status: status, Header: header, Body: body}
}

func replyText(text string) *Response {
	return reply(http.StatusOK, "text/plain; charset=utf-8", []byte(text))
}

func replyJSON(value any) (*Response, error) {
	body, err := json.Marshal(value)
	return reply(http.StatusOK, "application/json", body), err
}
