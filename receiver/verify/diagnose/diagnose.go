// Package diagnose tells why a request was refused: it looks for the one small
// difference under which the signature would have held. It is for people, at
// the terminal and in the log, and never part of a judgement.
//
// It imports verify, route and the standard library. Its findings carry no key
// material and no signature.
package diagnose

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/verify"
)

// Finding is one difference that explains the refusal.
type Finding struct {
	// Cause is a stable word for programs, such as "body_trailing_newline".
	Cause string `json:"cause"`
	// Text says what is different, and what to do.
	Text string `json:"text"`
}

// maxBody bounds the bodies that are reformatted in search of a difference.
const maxBody = 1 << 20

// anyTime is a tolerance that no request exceeds, so that a second difference
// in time does not hide the first one.
const anyTime = 100 * 365 * 24 * 3600

// Explain looks for what would have made the request acceptable. The refusal
// is the error that Verify returned; nothing is found for other errors.
func Explain(ctx context.Context, config verify.Config, request *verify.Request, refusal error) []Finding {
	var rejection *verify.Rejection
	if !errors.As(refusal, &rejection) {
		return nil
	}
	e := explanation{ctx: ctx, config: config, request: request}
	switch rejection.Reason {
	case verify.SignatureMissing:
		e.otherProviders()
	case verify.SignatureMalformed:
		e.forms()
		e.otherProviders()
	case verify.SignatureMismatch:
		e.bodies()
		e.keys()
		e.urls()
		e.forms()
	case verify.TimestampOutOfTolerance:
		e.add("clock", rejection.Detail+": compare the clocks, or raise source.toleranceSeconds if the sender is slow")
	}
	return e.found
}

// explanation collects the findings for one request.
type explanation struct {
	ctx     context.Context
	config  verify.Config
	request *verify.Request
	found   []Finding
}

func (e *explanation) add(cause, text string) {
	if !slices.ContainsFunc(e.found, func(f Finding) bool { return f.Cause == cause }) {
		e.found = append(e.found, Finding{cause, text})
	}
}

// holds is true when the request would be accepted under the configuration.
func (e *explanation) holds(config verify.Config, request *verify.Request) bool {
	config.Source.ToleranceSeconds = anyTime
	v, err := verify.Compile(config)
	if err != nil {
		return false
	}
	_, err = v.Verify(e.ctx, request)
	var rejection *verify.Rejection
	if errors.As(err, &rejection) {
		return rejection.Reason == verify.TimestampOutOfTolerance
	}
	return err == nil
}

// scheme returns the declarative scheme that judges the request.
func (e *explanation) scheme() (route.Scheme, bool) {
	if e.config.Source.Scheme != nil {
		return *e.config.Source.Scheme, true
	}
	preset, ok := verify.Lookup(e.config.Source.Provider)
	if !ok || len(e.config.Keys) == 0 {
		return route.Scheme{}, false
	}
	return preset.SchemeFor(e.config.Keys[0].Value, e.config.Source.Options)
}

// holdsUnder is true when the request holds under another scheme.
func (e *explanation) holdsUnder(scheme route.Scheme) bool {
	config := e.config
	config.Source = route.Source{Scheme: &scheme}
	if url := e.config.Source.Options["url"]; url != "" {
		config.URL = url
	}
	return e.holds(config, e.request)
}

// otherProviders looks for the headers of other providers, if nothing better
// was found.
func (e *explanation) otherProviders() {
	if len(e.found) > 0 {
		return
	}
	var names []string
	header := ""
	for _, p := range verify.Presets() {
		if len(p.Headers) == 0 || p.Name == e.config.Source.Provider {
			continue
		}
		name := http.CanonicalHeaderKey(p.Headers[0])
		if name != "Authorization" && len(e.request.Header[name]) > 0 && (header == "" || header == name) {
			header = name
			names = append(names, p.Name)
		}
	}
	mine, _ := verify.Lookup(e.config.Source.Provider)
	expected := mine.Headers
	if e.config.Source.Scheme != nil {
		expected = e.config.Source.Scheme.Signature.Headers
	}
	if header == "" || slices.ContainsFunc(expected, func(h string) bool { return http.CanonicalHeaderKey(h) == header }) {
		return
	}
	e.add("other_provider", "the request has the header "+header+", as sent by "+strings.Join(names, ", ")+
		": check source.provider")
}
