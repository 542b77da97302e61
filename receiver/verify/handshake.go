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

// jsonFields reads up to a few fields of a JSON body; absent ones are empty.
func jsonFields(body []byte, paths ...string) []string {
	var e extractor
	for _, path := range paths {
		if _, err := e.add(path); err != nil {
			panic("verify: " + err.Error())
		}
	}
	var found values
	e.extract(body, &found)
	result := make([]string, len(paths))
	for i := range paths {
		result[i], _ = found.get(i)
	}
	return result
}

// answerSlack answers the check of a new Request URL.
func answerSlack(_ *greeting, request *Request) (*Response, error) {
	f := jsonFields(request.Body, "type", "challenge")
	if f[0] != "url_verification" || f[1] == "" {
		return nil, nil
	}
	return replyText(f[1]), nil
}
