package verify

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
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

// onlyMember returns the text of the one member of a JSON object, if that is its
// name; empty for every other document.
func onlyMember(body []byte, name string) string {
	w := walker{scanner: scanner{data: body}, into: new(values)}
	w.space()
	if !w.accept('{') {
		return ""
	}
	w.space()
	member, ok := w.name(^uint32(0))
	if !ok || string(member) != name {
		return ""
	}
	w.space()
	raw, escaped, ok := w.str()
	text := string(raw)
	if ok && escaped {
		text, ok = unescape(raw)
	}
	w.space()
	if !ok || !w.accept('}') || !w.atEnd() {
		return ""
	}
	return text
}

// greetSlack answers the check of the certificate, which comes without a
// signature: a form with ssl_check and the token of old.
func greetSlack(_ *greeting, request *Request) (*Response, error) {
	if len(request.Header["X-Slack-Signature"]) > 0 || !checksCertificate(request) {
		return nil, nil
	}
	return reply(http.StatusOK, "", nil), nil
}

// checksCertificate is true for Slack's check of the certificate. No event or
// command has these parameters alone.
func checksCertificate(request *Request) bool {
	values, err := request.read().Form()
	if err != nil || !onlyParameters(values, "ssl_check", "token") {
		return false
	}
	flag, _ := only(values, "ssl_check")
	return flag == "1"
}

// answerSlack answers the check of a new Request URL, and the check of the
// certificate where it is signed.
func answerSlack(_ *greeting, _ proof, request *Request) (*Response, error) {
	if checksCertificate(request) {
		return reply(http.StatusOK, "", nil), nil
	}
	f := jsonFields(document(request), "type", "challenge")
	if f[0] != "url_verification" || f[1] == "" {
		return nil, nil
	}
	return replyText(f[1]), nil
}

// answerZoom answers the check of an endpoint with the token and its HMAC.
func answerZoom(g *greeting, p proof, request *Request) (*Response, error) {
	f := jsonFields(document(request), "event", "payload.plainToken")
	if f[0] != "endpoint.url_validation" {
		return nil, nil
	}
	if !isToken(f[1]) {
		return nil, refuse(SignatureMalformed, "the validation of the URL has no payload.plainToken")
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
	challenge := jsonFields(document(request), "challenge")[0]
	if challenge == "" {
		return nil, refuse(SignatureMalformed, "the verification of the callback has no challenge")
	}
	return replyText(challenge), nil
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

// answerFront answers the check of a new webhook URL, which is signed like an
// event and has the challenge in a header.
func answerFront(_ *greeting, _ proof, request *Request) (*Response, error) {
	lines := request.Header["X-Front-Challenge"]
	if len(lines) == 0 {
		return nil, nil
	}
	if len(lines) > 1 || lines[0] == "" || len(lines[0]) > maxChallenge {
		return nil, refuse(SignatureMalformed, "header X-Front-Challenge is empty, too long or occurs more than once")
	}
	return replyText(lines[0]), nil
}

// greetWooCommerce answers the ping of a webhook that was saved, which is a form
// with the number of the webhook and no signature.
func greetWooCommerce(_ *greeting, request *Request) (*Response, error) {
	if request.Method != http.MethodPost || len(request.Header["X-Wc-Webhook-Signature"]) > 0 {
		return nil, nil
	}
	values, err := request.read().Form()
	if err != nil || !onlyParameters(values, "webhook_id") {
		return nil, nil //nolint:nilerr // what is no form is no ping
	}
	if number, ok := only(values, "webhook_id"); !ok || !isDigits(number) {
		return nil, nil
	}
	return reply(http.StatusOK, "", nil), nil
}

func isDigits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

// greetBitbucket answers the button Test connection of Bitbucket Server and Data
// Center, whose request has no signature.
func greetBitbucket(_ *greeting, request *Request) (*Response, error) {
	if len(request.Header["X-Hub-Signature"]) > 0 || request.Header.Get("X-Event-Key") != "diagnostics:ping" ||
		len(request.Body) > maxChallenge || jsonFields(document(request), "test")[0] != "true" {
		return nil, nil
	}
	return reply(http.StatusOK, "", nil), nil
}

// greetMandrill answers both checks of a new webhook URL: HEAD, and a form
// without events that is signed with a key of no account.
func greetMandrill(g *greeting, request *Request) (*Response, error) {
	if request.Method != http.MethodPost {
		return greetHEAD(g, request)
	}
	values, err := request.read().Form()
	if err != nil || !onlyParameters(values, "mandrill_events") {
		return nil, nil //nolint:nilerr // what is no form is no check
	}
	if events, _ := only(values, "mandrill_events"); events != "[]" {
		return nil, nil
	}
	return reply(http.StatusOK, "", nil), nil
}
