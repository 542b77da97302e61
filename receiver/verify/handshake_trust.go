package verify

import (
	"context"
	"net/http"
)

// Handshakes that bring the key itself, trusted on first use: they are
// accepted only while the endpoint says that it waits for one, and they never
// replace a key. The offered key counts once somebody put it into the Secret.

const asanaSecret = "X-Hook-Secret"

// awaits is true while the endpoint waits for a handshake.
func awaits(options map[string]string) bool { return options[optionAwait.Name] == "true" }

// waiting stands in while there is no key yet: nothing holds.
type waiting struct{}

func (waiting) judge(context.Context, *Request) (proof, error) {
	return proof{}, refuse(SignatureMissing, "the endpoint still waits for the handshake that brings its key")
}

// greetAsana answers the X-Hook-Secret handshake by echoing the header.
func greetAsana(g *greeting, request *Request) (*Response, error) {
	lines := request.Header[asanaSecret]
	if len(lines) == 0 {
		return nil, nil
	}
	if len(lines) > 1 || lines[0] == "" || len(lines[0]) > maxChallenge {
		return nil, refuse(SignatureMalformed, "header X-Hook-Secret is empty or occurs more than once")
	}
	if !awaits(g.options) && !g.has(lines[0]) {
		return nil, refuse(SignatureMissing,
			"a handshake came that was not awaited: set source.options.awaitHandshake to \"true\" to accept it")
	}
	response := reply(http.StatusOK, "", nil)
	response.Header.Set(asanaSecret, lines[0])
	response.Offered = []byte(lines[0])
	return response, nil
}

// greetNotion answers the unsigned request that brings the verification token.
func greetNotion(g *greeting, request *Request) (*Response, error) {
	if len(request.Header["X-Notion-Signature"]) > 0 {
		return nil, nil
	}
	offered := jsonFields(document(request), "verification_token")[0]
	if offered == "" || len(offered) > maxChallenge {
		return nil, nil
	}
	if !awaits(g.options) && !g.has(offered) {
		return nil, refuse(SignatureMissing,
			"a handshake came that was not awaited: set source.options.awaitHandshake to \"true\" to accept it")
	}
	response := reply(http.StatusOK, "", nil)
	response.Offered = []byte(offered)
	return response, nil
}
