package verify

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

// queryToken judges requests that carry the secret in their URL, for
// providers that can do no better.
type queryToken struct {
	keys      []key
	parameter string
	// bearer also accepts the secret as Authorization: Bearer.
	bearer bool
}

func newQueryToken(m material) (judge, error) {
	parameter := m.options["parameter"]
	if parameter == "" {
		parameter = "secret"
	}
	return &queryToken{keys: m.keys, parameter: parameter}, nil
}

// newAccessToken takes the token where the CloudEvents webhook specification
// puts it.
func newAccessToken(m material) (judge, error) {
	return &queryToken{keys: m.keys, parameter: "access_token", bearer: true}, nil
}

func (j *queryToken) judge(_ context.Context, request *Request) (proof, error) {
	presented, err := j.presented(request)
	if err != nil {
		return proof{}, err
	}
	for _, k := range j.keys {
		if secretEqual(presented, k.text) {
			return proof{key: k.name}, nil
		}
	}
	return proof{}, refuse(SignatureMismatch, "no active key equals the credential sent")
}

func (j *queryToken) presented(request *Request) (string, error) {
	query, err := url.ParseQuery(request.RawQuery)
	if err != nil {
		return "", refuse(SignatureMalformed, "the query string is malformed")
	}
	found := query[j.parameter]
	if lines := request.Header["Authorization"]; j.bearer && len(lines) > 0 {
		for _, line := range lines {
			text, ok := cutBearer(line)
			if !ok {
				return "", refuse(SignatureMalformed, "header Authorization is not a bearer token")
			}
			found = append(found, text)
		}
	}
	switch {
	case len(found) > 1:
		return "", refuse(SignatureMalformed, "the credential occurs more than once")
	case len(found) == 0 || found[0] == "":
		return "", refusef(SignatureMissing, "the query parameter %s is missing", j.parameter)
	}
	return found[0], nil
}

// cutBearer returns the token; the scheme's name is case-insensitive.
func cutBearer(value string) (string, bool) {
	const word = "bearer "
	if len(value) <= len(word) || !strings.EqualFold(value[:len(word)], word) {
		return "", false
	}
	return value[len(word):], true
}

func (j *queryToken) credentials() (headers, parameters []string) {
	if j.bearer {
		headers = []string{"Authorization"}
	}
	return headers, []string{j.parameter}
}

// answerGET answers the check that a provider makes of a new URL.
func answerGET(_ *greeting, _ proof, request *Request) (*Response, error) {
	if request.Method != http.MethodGet {
		return nil, nil
	}
	return reply(http.StatusOK, "", nil), nil
}
