package verify

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
)

// Challenges in the query or the headers of a request without proof. What is
// echoed is bounded, plain text, and never sniffed as anything else.

// query returns the parameters of a GET; nil for everything else.
func query(request *Request) url.Values {
	if request.Method != http.MethodGet {
		return nil
	}
	values, err := url.ParseQuery(request.RawQuery)
	if err != nil {
		return nil
	}
	return values
}

// single returns a parameter that occurs exactly once and is not too long.
func single(values url.Values, name string) string {
	if found := values[name]; len(found) == 1 && len(found[0]) <= maxChallenge {
		return found[0]
	}
	return ""
}

// greetQuery echoes the parameter of a GET.
func greetQuery(name string) func(*greeting, *Request) (*Response, error) {
	return func(_ *greeting, request *Request) (*Response, error) {
		if challenge := single(query(request), name); challenge != "" {
			return replyText(challenge), nil
		}
		return nil, nil
	}
}

// greetMeta answers the subscription check, if its verify token is right.
func greetMeta(g *greeting, request *Request) (*Response, error) {
	q := query(request)
	challenge, presented := single(q, "hub.challenge"), single(q, "hub.verify_token")
	if single(q, "hub.mode") != "subscribe" || challenge == "" {
		return nil, nil
	}
	if configured := g.options[optionVerifyToken.Name]; configured != "" {
		if secretEqual(presented, configured) {
			return replyText(challenge), nil
		}
		return nil, refuse(SignatureMismatch, "hub.verify_token is not source.options.verifyToken")
	}
	for _, k := range g.keys {
		if secretEqual(presented, k.text) {
			return replyText(challenge), nil
		}
	}
	return nil, refuse(SignatureMismatch,
		"hub.verify_token is no key of the Secret, and source.options.verifyToken is not set")
}

// isToken is true for short texts of letters, digits and the punctuation of
// base64 and UUIDs, and so never for a JSON document.
func isToken[T ~string | ~[]byte](text T) bool {
	for i := range len(text) {
		c := text[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && c != '-' && c != '_' && c != '+' && c != '/' && c != '=' && c != '.' {
			return false
		}
	}
	return len(text) > 0 && len(text) <= maxChallenge
}

// greetX answers the challenge-response check. X signs events with the very
// same function, so whoever may ask for the HMAC of any text could have events
// signed: only what cannot be an event is answered.
func greetX(g *greeting, request *Request) (*Response, error) {
	challenge := single(query(request), "crc_token")
	if !isToken(challenge) || len(g.keys) == 0 {
		return nil, nil
	}
	sum := hmacSum(sha256.New, []byte(g.keys[0].text), []byte(challenge))
	return replyJSON(map[string]string{"response_token": "sha256=" + base64.StdEncoding.EncodeToString(sum)})
}

// refuseChallengeBody is the other half: a body that greetX would sign for
// anyone proves nothing.
func refuseChallengeBody(_ *greeting, _ proof, request *Request) (*Response, error) {
	if isToken(request.Body) {
		return nil, refuse(SignatureMismatch, "the body is a text that the challenge handshake signs for anyone")
	}
	return nil, nil
}

// greetLinkedIn answers the challenge with its HMAC. Events are signed over
// "hmacsha256=" and the body; the equals sign keeps the two apart.
func greetLinkedIn(g *greeting, request *Request) (*Response, error) {
	challenge := single(query(request), "challengeCode")
	if !isToken(challenge) || len(g.keys) == 0 {
		return nil, nil
	}
	for i := range len(challenge) {
		if challenge[i] == '=' {
			return nil, nil
		}
	}
	sum := hmacSum(sha256.New, []byte(g.keys[0].text), []byte(challenge))
	return replyJSON(map[string]string{"challengeCode": challenge, "challengeResponse": hex.EncodeToString(sum)})
}

// greetGraph answers the validation of a subscription, which has no
// notifications. SharePoint writes the parameter in lower case.
func greetGraph(_ *greeting, request *Request) (*Response, error) {
	if request.Method != http.MethodPost {
		return nil, nil
	}
	values, err := url.ParseQuery(request.RawQuery)
	if err != nil {
		return nil, nil //nolint:nilerr // a query that does not parse is no handshake
	}
	challenge := single(values, "validationToken") + single(values, "validationtoken")
	if challenge == "" || len(challenge) > maxChallenge {
		return nil, nil
	}
	if _, notified := jsonItems(document(request), "value"); notified {
		return nil, nil
	}
	return replyText(challenge), nil
}

// greetOkta answers the one-time verification.
func greetOkta(_ *greeting, request *Request) (*Response, error) {
	challenge := request.Header.Get("X-Okta-Verification-Challenge")
	if request.Method != http.MethodGet || challenge == "" || len(challenge) > maxChallenge {
		return nil, nil
	}
	return replyJSON(map[string]string{"verification": challenge})
}

// greetWorldline answers the verification of an endpoint.
func greetWorldline(_ *greeting, request *Request) (*Response, error) {
	challenge := request.Header.Get("X-GCS-Webhooks-Endpoint-Verification")
	if request.Method != http.MethodGet || challenge == "" || len(challenge) > maxChallenge {
		return nil, nil
	}
	return replyText(challenge), nil
}

// greetHEAD answers the check that a URL exists.
func greetHEAD(_ *greeting, request *Request) (*Response, error) {
	if request.Method != http.MethodHead {
		return nil, nil
	}
	return reply(http.StatusOK, "", nil), nil
}

// greetOptions answers the abuse protection of the CloudEvents webhook
// specification, section 4: the origin that asks is allowed.
func greetOptions(_ *greeting, request *Request) (*Response, error) {
	origin := request.Header.Get("WebHook-Request-Origin")
	if request.Method != http.MethodOptions || origin == "" || len(origin) > maxChallenge {
		return nil, nil
	}
	response := reply(http.StatusOK, "", nil)
	response.Header.Set("Allow", http.MethodPost)
	response.Header.Set("WebHook-Allowed-Origin", origin)
	rate := request.Header.Get("WebHook-Request-Rate")
	if rate == "" {
		rate = "*"
	}
	response.Header.Set("WebHook-Allowed-Rate", rate)
	return response, nil
}
