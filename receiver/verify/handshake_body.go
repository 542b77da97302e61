package verify

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
)

// Handshakes whose requests are signed like events: they are answered after
// the signature held.

// jsonFields reads a few fields of a JSON body; absent ones are empty.
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
func answerSlack(_ *greeting, _ proof, request *Request) (*Response, error) {
	f := jsonFields(document(request), "type", "challenge")
	if f[0] != "url_verification" || f[1] == "" {
		return nil, nil
	}
	return replyText(f[1]), nil
}

// answerZoom answers the check of an endpoint with the token and its HMAC.
func answerZoom(g *greeting, p proof, request *Request) (*Response, error) {
	f := jsonFields(document(request), "event", "payload.plainToken")
	if f[0] != "endpoint.url_validation" || !isToken(f[1]) {
		return nil, nil
	}
	sum := hmacSum(sha256.New, []byte(g.text(p.key)), []byte(f[1]))
	return replyJSON(struct {
		PlainToken     string `json:"plainToken"`
		EncryptedToken string `json:"encryptedToken"`
	}{f[1], hex.EncodeToString(sum)})
}

// answerTwitch answers the check of a new subscription.
func answerTwitch(_ *greeting, _ proof, request *Request) (*Response, error) {
	if request.Header.Get("Twitch-Eventsub-Message-Type") != "webhook_callback_verification" {
		return nil, nil
	}
	f := jsonFields(document(request), "challenge")
	if f[0] == "" {
		return nil, nil
	}
	return replyText(f[0]), nil
}

// answerDiscord answers PING: type 1 without an event is an interaction's,
// type 0 a webhook event's.
func answerDiscord(_ *greeting, _ proof, request *Request) (*Response, error) {
	f := jsonFields(document(request), "type", "event.type")
	switch {
	case f[0] == "1" && f[1] == "":
		return reply(http.StatusOK, "application/json", []byte(`{"type":1}`)), nil
	case f[0] == "0" && f[1] == "":
		return reply(http.StatusNoContent, "", nil), nil
	}
	return nil, nil
}

// answerXero answers the intent to receive: a signed request without events.
func answerXero(_ *greeting, _ proof, request *Request) (*Response, error) {
	if items, ok := jsonItems(document(request), "events"); !ok || len(items) > 0 {
		return nil, nil
	}
	return reply(http.StatusOK, "", nil), nil
}
