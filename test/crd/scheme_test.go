package crd_test

import (
	"testing"

	"github.com/postern-dev/postern/api/v1alpha1"
)

// withScheme wraps the fields of a scheme into the change of a spec.
func withScheme(fields string) string { return `source: {scheme: {` + fields + `}}` }

const hmac = `algorithm: HMACSHA256, signature: {headers: [X-Signature]}`

func TestSchemeAcceptance(t *testing.T) {
	t.Parallel()
	acceptAll(t, v1alpha1.KindWebhookEndpoint, []string{
		withScheme(hmac),
		withScheme(`algorithm: BasicAuth`),
		withScheme(`algorithm: Token, signature: {headers: [Authorization], prefix: "Bearer "}`),
		withScheme(`algorithm: Ed25519, signature: {headers: [X-S], encoding: Hex}, content: "{timestamp}{body}",
			timestamp: {header: X-T}`),
		withScheme(`algorithm: HMACSHA512, signature: {headers: [X-A, X-B], encoding: Base64, list: {separator: ",",
			keyValueSeparator: "=", signatureKey: v1, timestampKey: t}}, content: "{timestamp}.{id}.{method}.{url}.{body}",
			timestamp: {unit: Milliseconds}, id: {json: data.id}, eventType: {header: X-Event},
			key: {encoding: Base64, stripPrefix: whsec_}, requireHeaders: {X-Version: "1"}`),
		withScheme(hmac + `, content: "{header:X-A}|{json:a.b}|{body}"`),
		withScheme(hmac + `, timestamp: {json: sentAt, unit: RFC3339}`),
		withScheme(`algorithm: HMACSHA256, signature: {headers: [X-S], list: {separator: " "}}`),
	})
}
