package verify

import (
	"fmt"
	"net/http"
)

// Options that several presets know.
var (
	optionSignedURL   = Option{optionURL, "the URL as configured at the provider; default: the endpoint's own"}
	optionVerifyToken = Option{"verifyToken", "the verify token of the handshake; default: any key of the Secret"}
	optionPublicKey   = Option{"publicKey", "the public key as the provider shows it, or PEM; default: the Secret"}
	optionKey         = Option{"key", "another name of publicKey"}
	optionHeader      = Option{"header", "name of the header that carries the secret; default: Authorization"}
	optionParameter   = Option{"parameter", "name of the query parameter that carries the secret; default: secret"}
	optionAwait       = Option{"awaitHandshake",
		"\"true\" only while the provider's first request, which brings the key, is awaited"}
)

// urlSecretSteps tell how to set up a provider that signs nothing.
func urlSecretSteps(where string) []string {
	return []string{
		where + " The provider signs nothing, so the URL carries the secret: URL?secret=TEXT.",
		"Put the same TEXT into the Secret; it is taken off before the request is forwarded.",
	}
}

// adaptHeader lets the option header choose the header of a token.
func adaptHeader(options map[string]string, variants []Variant) ([]Variant, error) {
	name := options["header"]
	if name == "" {
		return variants, nil
	}
	if !validHeaderName(name) {
		return nil, fmt.Errorf("source.options.header: %q is not a header name", name)
	}
	variants[0].Scheme.Signature.Headers = []string{http.CanonicalHeaderKey(name)}
	return variants, nil
}

// adaptPusher lets the option key name the app key of the requests.
func adaptPusher(options map[string]string, variants []Variant) ([]Variant, error) {
	if key := options[optionKey.Name]; key != "" {
		variants[0].Scheme.RequireHeaders = map[string]string{"X-Pusher-Key": key}
	}
	return variants, nil
}

// adaptGrafana applies the names that can be chosen in Grafana.
func adaptGrafana(options map[string]string, variants []Variant) ([]Variant, error) {
	for _, option := range []string{"signatureHeader", "timestampHeader"} {
		if name := options[option]; name != "" && !validHeaderName(name) {
			return nil, fmt.Errorf("source.options.%s: %q is not a header name", option, name)
		}
	}
	s := &variants[0].Scheme
	if name := options["signatureHeader"]; name != "" {
		s.Signature.Headers = []string{name}
	}
	if name := options["timestampHeader"]; name != "" {
		s.Timestamp.Header = name
		s.Content = "{timestamp}:{body}"
	}
	return variants, nil
}
