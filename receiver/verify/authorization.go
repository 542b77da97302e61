package verify

import (
	"strings"

	"github.com/postern-dev/postern/receiver/route"
)

// newAuthorization judges senders that can be given any credential. The option
// header names the header of the key. Without it a key user:password is basic
// authentication, and every other key a bearer token.
func newAuthorization(m material) (judge, error) {
	if m.options[optionHeader.Name] != "" {
		variants, err := adaptHeader(m.options, token("", ""))
		if err != nil {
			return nil, err
		}
		return newFamily(variants, m)
	}
	var pairs, tokens []key
	for _, k := range m.keys {
		if strings.Contains(k.text, ":") {
			pairs = append(pairs, k)
		} else {
			tokens = append(tokens, k)
		}
	}
	f := &family{}
	for _, group := range []struct {
		scheme route.Scheme
		keys   []key
	}{{basicAuth()[0].Scheme, pairs}, {token("Authorization", "Bearer ")[0].Scheme, tokens}} {
		if len(group.keys) == 0 {
			continue
		}
		built, err := newMember(&group.scheme, group.keys, m)
		if err != nil {
			return nil, err
		}
		f.members = append(f.members, built)
	}
	return f, nil
}
