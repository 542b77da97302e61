package verify

import (
	"context"
	"time"

	"github.com/postern-dev/postern/receiver/route"
)

// The shapes that many providers share, so that a row of the table shows only
// what is its own.

func one(s route.Scheme) []Variant { return []Variant{{Scheme: s}} }

// bodyMAC is an HMAC of the body alone in one header.
func bodyMAC(algorithm route.Algorithm, header, prefix string, encoding route.Encoding) route.Scheme {
	return route.Scheme{
		Algorithm: algorithm,
		Signature: route.Signature{Headers: []string{header}, Prefix: prefix, Encoding: encoding},
	}
}

// hexBody and base64Body are HMAC-SHA256 of the body.
func hexBody(header, prefix string) []Variant {
	return one(bodyMAC(route.AlgorithmHMACSHA256, header, prefix, route.EncodingHex))
}

func base64Body(header, prefix string) []Variant {
	return one(bodyMAC(route.AlgorithmHMACSHA256, header, prefix, route.EncodingBase64))
}

// sha1Body is its older sibling, as hexadecimal.
func sha1Body(header, prefix string) []Variant {
	return one(bodyMAC(route.AlgorithmHMACSHA1, header, prefix, route.EncodingHex))
}

// sha512Body is the longer one, as hexadecimal.
func sha512Body(header, prefix string) []Variant {
	return one(bodyMAC(route.AlgorithmHMACSHA512, header, prefix, route.EncodingHex))
}

// withKey sets the form of the key.
func withKey(variants []Variant, encoding route.Encoding) []Variant {
	variants[0].Scheme.Key.Encoding = encoding
	return variants
}

// signedBy sets what is signed instead of the body alone.
func signedBy(variants []Variant, content string) []Variant {
	variants[0].Scheme.Content = content
	return variants
}

// timedBy adds a signed timestamp from a header.
func timedBy(variants []Variant, header string, unit route.TimestampUnit, content string) []Variant {
	variants[0].Scheme.Timestamp = route.Timestamp{Header: header, Unit: unit}
	return signedBy(variants, content)
}

// listScheme is "t=…,v1=…" over "{timestamp}.{body}", as Stripe made popular.
func listScheme(header, timestampKey, signatureKey string) []Variant {
	return one(route.Scheme{
		Algorithm: route.AlgorithmHMACSHA256,
		Signature: route.Signature{
			Headers: []string{header}, Encoding: route.EncodingHex,
			List: &route.SignatureList{
				Separator: ",", KeyValueSeparator: "=", SignatureKey: signatureKey, TimestampKey: timestampKey,
			},
		},
		Content:   "{timestamp}.{body}",
		Timestamp: route.Timestamp{Unit: route.UnitSeconds},
	})
}

// listBody is "v1=…,v1=…" over the body alone.
func listBody(header, signatureKey string) []Variant {
	v := hexBody(header, "")
	v[0].Scheme.Signature.List = &route.SignatureList{
		Separator: ",", KeyValueSeparator: "=", SignatureKey: signatureKey,
	}
	return v
}

// standardScheme is Standard Webhooks v1 with headers of that family name.
func standardScheme(name string, format route.KeyFormat) route.Scheme {
	return route.Scheme{
		Algorithm: route.AlgorithmHMACSHA256,
		Signature: route.Signature{
			Headers: []string{name + "-signature"}, Encoding: route.EncodingBase64,
			List: &route.SignatureList{Separator: " ", KeyValueSeparator: ",", SignatureKey: "v1"},
		},
		Content:   "{id}.{timestamp}.{body}",
		Timestamp: route.Timestamp{Header: name + "-timestamp", Unit: route.UnitSeconds},
		ID:        route.Field{Header: name + "-id"},
		Key:       format,
	}
}

// The forms in which Standard Webhooks senders show their keys.
var (
	standardKey   = route.KeyFormat{Encoding: route.EncodingBase64, StripPrefix: "whsec_"}
	versionedKey  = route.KeyFormat{Encoding: route.EncodingBase64, StripPrefix: "v1,whsec_"}
	asymmetricKey = route.KeyFormat{Encoding: route.EncodingBase64, StripPrefix: "whpk_"}
	rawKey        = route.KeyFormat{Encoding: route.EncodingRaw}
)

// standardAsymmetric is Standard Webhooks v1a.
func standardAsymmetric(name string) route.Scheme {
	s := standardScheme(name, asymmetricKey)
	s.Algorithm = route.AlgorithmEd25519
	s.Signature.List.SignatureKey = "v1a"
	return s
}

// standardVariants are the schemes of a sender of Standard Webhooks: both
// names of the headers are in use, often by the same sender. The first is the
// one that the sender uses today.
func standardVariants(first, second string) []Variant {
	return []Variant{
		{Scheme: standardScheme(first, standardKey)},
		{Scheme: standardScheme(second, standardKey)},
		{KeyPrefix: "whpk_", Scheme: standardAsymmetric(first)},
		{KeyPrefix: "whpk_", Scheme: standardAsymmetric(second)},
	}
}

// rawStandard is for senders whose key is its plain text, unless it begins
// with whsec_.
func rawStandard() []Variant {
	return []Variant{
		{KeyPrefix: "whsec_", Scheme: standardScheme("webhook", standardKey)},
		{Scheme: standardScheme("webhook", rawKey)},
	}
}

// alsoIn adds another header that may carry the signature.
func alsoIn(variants []Variant, header string) []Variant {
	s := &variants[0].Scheme.Signature
	s.Headers = append(s.Headers[:len(s.Headers):len(s.Headers)], header)
	return variants
}

// token is the secret itself in a header, after a literal prefix.
func token(header, prefix string) []Variant {
	return one(route.Scheme{
		Algorithm: route.AlgorithmToken,
		Signature: route.Signature{Headers: []string{header}, Prefix: prefix},
	})
}

// basicAuth is user:password as HTTP basic authentication.
func basicAuth() []Variant {
	return one(route.Scheme{
		Algorithm: route.AlgorithmBasicAuth,
		Signature: route.Signature{Headers: []string{"Authorization"}},
	})
}

// Acknowledgement limits that occur often.
const (
	ackShort = 3 * time.Second
	ackFive  = 5 * time.Second
	ackTen   = 10 * time.Second
	day      = 24 * time.Hour
)

// nothing accepts every request.
type nothing struct{}

func newNothing(material) (judge, error) { return nothing{}, nil }

func (nothing) judge(context.Context, *Request) (proof, error) { return proof{}, nil }

// retried is a provider that sends an event again by itself, for as long as
// span; zero means that no end is documented.
func retried(span time.Duration, bytes RetryBytes) Retries {
	return Retries{By: RetriedByProvider, For: span, Bytes: bytes}
}

// byHand is one where a person, or a call of its API, sends an event again.
func byHand(span time.Duration, bytes RetryBytes) Retries {
	return Retries{By: RetriedByHand, For: span, Bytes: bytes}
}

// notRetried is one that documents no retry.
func notRetried() Retries { return Retries{By: RetriedByNever, Bytes: RetryBytesUnknown} }
