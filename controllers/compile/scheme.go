package compile

import (
	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/receiver/route"
)

// compileScheme returns nil for the zero scheme, which means that none is set.
func compileScheme(s v1alpha1.Scheme) *route.Scheme {
	if s.Algorithm == "" {
		return nil
	}
	return &route.Scheme{
		Algorithm: route.Algorithm(s.Algorithm),
		Signature: compileSignature(s.Signature),
		Content:   s.Content,
		Timestamp: route.Timestamp{
			Header: string(s.Timestamp.Header),
			JSON:   string(s.Timestamp.JSON),
			Unit:   route.TimestampUnit(s.Timestamp.Unit),
		},
		ID:        route.Field{Header: string(s.ID.Header), JSON: string(s.ID.JSON)},
		EventType: route.Field{Header: string(s.EventType.Header), JSON: string(s.EventType.JSON)},
		Key: route.KeyFormat{
			Encoding:    route.Encoding(s.Key.Encoding),
			StripPrefix: s.Key.StripPrefix,
		},
		RequireHeaders: compileHeaders(s.RequireHeaders),
	}
}

func compileSignature(s v1alpha1.Signature) route.Signature {
	signature := route.Signature{Prefix: s.Prefix, Encoding: route.Encoding(s.Encoding)}
	for _, name := range s.Headers {
		signature.Headers = append(signature.Headers, string(name))
	}
	if s.List != (v1alpha1.SignatureList{}) {
		signature.List = &route.SignatureList{
			Separator:         s.List.Separator,
			KeyValueSeparator: s.List.KeyValueSeparator,
			SignatureKey:      s.List.SignatureKey,
			TimestampKey:      s.List.TimestampKey,
		}
	}
	return signature
}

func compileHeaders(headers map[string]v1alpha1.HeaderValue) map[string]string {
	if len(headers) == 0 {
		return nil
	}
	texts := make(map[string]string, len(headers))
	for name, value := range headers {
		texts[name] = string(value)
	}
	return texts
}
