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

// greetAsana answers the X-Hook-Secret handshake by echoing the header. Events
// have a signature in its place.
func greetAsana(g *greeting, request *Request) (*Response, error) {
	lines := request.Header[asanaSecret]
	if len(lines) == 0 || len(request.Header["X-Hook-Signature"]) > 0 {
		return nil, nil
	}
	if len(lines) > 1 || lines[0] == "" || len(lines[0]) > maxChallenge {
		return nil, refuse(SignatureMalformed, "header X-Hook-Secret is empty or occurs more than once")
	}
	response, err := g.trust(lines[0])
	if err == nil {
		response.Header.Set(asanaSecret, lines[0])
	}
	return response, err
}

// greetNotion answers the request that brings the verification token. It may be
// signed, with that very token; what it says is not trusted for that.
func greetNotion(g *greeting, request *Request) (*Response, error) {
	offered := ""
	if len(request.Body) <= 2*maxChallenge {
		offered = onlyMember(document(request), "verification_token")
	}
	if offered == "" || len(offered) > maxChallenge {
		return nil, nil
	}
	return g.trust(offered)
}

// trust accepts an offered key while the endpoint waits for one, or when it is
// in the Secret already.
func (g *greeting) trust(offered string) (*Response, error) {
	if !awaits(g.options) && !g.has(offered) {
		return nil, refuse(SignatureMissing,
			"a handshake came that was not awaited: set source.options.awaitHandshake to \"true\" to accept it")
	}
	response := reply(http.StatusOK, "", nil)
	response.Offered = []byte(offered)
	return response, nil
}
