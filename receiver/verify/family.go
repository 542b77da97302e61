package verify

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/postern-dev/postern/receiver/route"
)

// family is a preset with several schemes: the key says which ones are
// possible, the request says which one was used.
type family struct {
	members []member
}

type member struct {
	judge interface {
		judge
		present(header http.Header) bool
	}
	// weak members carry the secret itself; they never stand in for a signature.
	weak bool
	// keyless members have no key; they only tell that a request is signed.
	keyless bool
}

// newFamily compiles the variants, each with the keys whose form it is for.
func newFamily(variants []Variant, m material) (judge, error) {
	f := &family{}
	for i := range variants {
		keys := keysFor(variants, i, m.keys)
		built, err := newMember(&variants[i].Scheme, keys, m)
		if err != nil {
			return nil, err
		}
		built.keyless = len(keys) == 0
		f.members = append(f.members, built)
	}
	if len(m.keys) == 0 {
		return nil, errors.New("a signature cannot be verified without a key: set secretRef")
	}
	if len(f.members) == 1 {
		return f.members[0].judge, nil
	}
	return f, nil
}

func newMember(s *route.Scheme, keys []key, m material) (member, error) {
	switch s.Algorithm {
	case route.AlgorithmToken, route.AlgorithmBasicAuth:
		j, err := newStatic(s, keys)
		return member{judge: j, weak: true}, err
	default:
		j, err := compileScheme(s, keys, m)
		return member{judge: j}, err
	}
}

// keysFor returns the keys that have no more specific variant than this one.
func keysFor(variants []Variant, index int, keys []key) []key {
	var mine []key
	for _, k := range keys {
		longest := 0
		for _, v := range variants {
			if strings.HasPrefix(k.text, v.KeyPrefix) {
				longest = max(longest, len(v.KeyPrefix))
			}
		}
		prefix := variants[index].KeyPrefix
		if strings.HasPrefix(k.text, prefix) && len(prefix) == longest {
			mine = append(mine, k)
		}
	}
	return mine
}

// judge tries the schemes whose headers the request has. Among refusals the
// one that came furthest is reported.
func (f *family) judge(ctx context.Context, request *Request) (proof, error) {
	signed, signable := false, false
	for _, m := range f.members {
		signed = signed || !m.weak && m.judge.present(request.Header)
		signable = signable || !m.weak && !m.keyless
	}
	var refusal error
	for _, m := range f.members {
		switch {
		case m.keyless:
			continue
		case m.weak && signed && signable:
			continue
		case m.weak && signed:
			refusal = further(refusal, refuse(SignatureMismatch,
				"the request is signed, but the Secret has only a token: put the signing key there"))
			continue
		}
		result, err := m.judge.judge(ctx, request)
		if err == nil {
			return result, nil
		}
		refusal = further(refusal, err)
	}
	return proof{}, refusal
}

// progress orders refusals by how far the judgement came.
var progress = map[Reason]int{
	SignatureMissing: 1, SignatureMalformed: 2, SignatureMismatch: 3, TimestampMissing: 4, TimestampOutOfTolerance: 5,
}

func further(a, b error) error {
	var ra, rb *Rejection
	switch {
	case a == nil || !errors.As(b, &rb):
		return b
	case !errors.As(a, &ra) || progress[ra.Reason] >= progress[rb.Reason]:
		return a
	default:
		return b
	}
}

func (f *family) credentials() (headers, parameters []string) {
	for _, m := range f.members {
		if c, ok := m.judge.(credentialed); ok {
			h, p := c.credentials()
			headers, parameters = append(headers, h...), append(parameters, p...)
		}
	}
	return headers, parameters
}
