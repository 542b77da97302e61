package verify

import (
	"context"

	"github.com/postern-dev/postern/receiver/route"
)

// The shapes that many providers share, so that a row of the table shows only
// what is its own.

func one(s route.Scheme) []Variant { return []Variant{{Scheme: s}} }

// hmacBody is an HMAC-SHA256 of the body in one header.
func hmacBody(header, prefix string, encoding route.Encoding) []Variant {
	return one(route.Scheme{
		Algorithm: route.AlgorithmHMACSHA256,
		Signature: route.Signature{Headers: []string{header}, Prefix: prefix, Encoding: encoding},
	})
}

// hmacSHA1Body is its older sibling.
func hmacSHA1Body(header, prefix string, encoding route.Encoding) []Variant {
	variants := hmacBody(header, prefix, encoding)
	variants[0].Scheme.Algorithm = route.AlgorithmHMACSHA1
	return variants
}

// stripeScheme is "t=…,v1=…" over "{timestamp}.{body}".
func stripeScheme(header, version string) route.Scheme {
	return route.Scheme{
		Algorithm: route.AlgorithmHMACSHA256,
		Signature: route.Signature{
			Headers: []string{header}, Encoding: route.EncodingHex,
			List: &route.SignatureList{Separator: ",", KeyValueSeparator: "=", SignatureKey: version, TimestampKey: "t"},
		},
		Content:   "{timestamp}.{body}",
		Timestamp: route.Timestamp{Unit: route.UnitSeconds},
	}
}

// standardScheme is Standard Webhooks v1 with headers of that family name.
func standardScheme(name, stripPrefix string) route.Scheme {
	return route.Scheme{
		Algorithm: route.AlgorithmHMACSHA256,
		Signature: route.Signature{
			Headers: []string{name + "-signature"}, Encoding: route.EncodingBase64,
			List: &route.SignatureList{Separator: " ", KeyValueSeparator: ",", SignatureKey: "v1"},
		},
		Content:   "{id}.{timestamp}.{body}",
		Timestamp: route.Timestamp{Header: name + "-timestamp", Unit: route.UnitSeconds},
		ID:        route.Field{Header: name + "-id"},
		Key:       route.KeyFormat{Encoding: route.EncodingBase64, StripPrefix: stripPrefix},
	}
}

// standardAsymmetric is Standard Webhooks v1a.
func standardAsymmetric(name string) route.Scheme {
	s := standardScheme(name, "whpk_")
	s.Algorithm = route.AlgorithmEd25519
	s.Signature.List.SignatureKey = "v1a"
	return s
}

// standardVariants are the schemes of a sender of Standard Webhooks: both
// names of the headers are in use, often by the same sender.
func standardVariants() []Variant {
	return []Variant{
		{Scheme: standardScheme("webhook", "whsec_")},
		{Scheme: standardScheme("svix", "whsec_")},
		{KeyPrefix: "whpk_", Scheme: standardAsymmetric("webhook")},
		{KeyPrefix: "whpk_", Scheme: standardAsymmetric("svix")},
	}
}

// tokenScheme is the secret itself in a header.
func tokenScheme(header, prefix string) route.Scheme {
	return route.Scheme{
		Algorithm: route.AlgorithmToken,
		Signature: route.Signature{Headers: []string{header}, Prefix: prefix},
	}
}

// nothing accepts every request.
type nothing struct{}

func newNothing(material) (judge, error) { return nothing{}, nil }

func (nothing) judge(context.Context, *Request) (proof, error) { return proof{}, nil }
