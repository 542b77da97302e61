package verify

import (
	"net/http"
	"strings"
	"time"

	"github.com/postern-dev/postern/receiver/route"
)

const defaultTolerance = 300 * time.Second

// complete fills what follows from the rest of a row.
func complete(row preset) preset {
	p := row
	if p.Secret == "" {
		p.Secret = SecretRequired
	}
	if len(p.Methods) == 0 {
		p.Methods = []string{http.MethodPost}
	}
	if p.MaxBodyBytes == 0 {
		p.MaxBodyBytes = usualMaxBodyBytes
	}
	for _, method := range p.handshakeMethods {
		p.Methods = append(p.Methods[:len(p.Methods):len(p.Methods)], method)
	}
	if p.Class == "" {
		p.Class = classOf(p.Variants)
	}
	if len(p.Headers) == 0 {
		p.Headers = proofHeaders(p.Variants)
	}
	p.BodySigned = p.BodySigned || signsBody(p.Class, p.Variants)
	if p.Tolerance == 0 && signsTimestamp(p.Variants) {
		p.Tolerance, p.FutureTolerance = defaultTolerance, defaultTolerance
	}
	p.widenTolerance()
	return p
}

// widenTolerance lets retries in that have the bytes, and so the signed time, of
// the first request. Where nothing tells a replay from an event, they stay out.
func (p *preset) widenTolerance() {
	p.freshFor = p.Tolerance
	if p.Tolerance > 0 && p.Retries.Bytes == RetryBytesIdentical && p.Identity != IdentityNone {
		p.Tolerance += p.Retries.For
	}
}

func classOf(variants []Variant) Class {
	if len(variants) == 0 {
		return ClassNone
	}
	switch variants[0].Scheme.Algorithm {
	case route.AlgorithmEd25519:
		return ClassEd25519
	case route.AlgorithmToken, route.AlgorithmBasicAuth:
		return ClassStatic
	default:
		return ClassHMAC
	}
}

// signsBody is true for declarative schemes that sign the body; rows of
// special schemes say it themselves.
func signsBody(class Class, variants []Variant) bool {
	if len(variants) == 0 || class == ClassStatic {
		return false
	}
	content := variants[0].Scheme.Content
	return content == "" || strings.Contains(content, "{body}") || strings.Contains(content, "{payload}")
}

func signsTimestamp(variants []Variant) bool {
	for _, v := range variants {
		if timestamped(&v.Scheme) {
			return true
		}
	}
	return false
}

// timestamped is true for schemes whose replay window is judged.
func timestamped(s *route.Scheme) bool {
	return s.Timestamp.Header != "" || s.Timestamp.JSON != "" ||
		s.Signature.List != nil && s.Signature.List.TimestampKey != ""
}

// proofHeaders lists the headers that a request's proof is made of.
func proofHeaders(variants []Variant) []string {
	var names []string
	seen := map[string]bool{"": true}
	add := func(name string) {
		if key := http.CanonicalHeaderKey(name); !seen[key] {
			seen[key] = true
			names = append(names, name)
		}
	}
	for _, v := range variants {
		for _, name := range v.Scheme.Signature.Headers {
			add(name)
		}
		add(v.Scheme.Timestamp.Header)
		add(v.Scheme.ID.Header)
	}
	return names
}
