package crd_test

import (
	"testing"

	"github.com/postern-dev/postern/api/v1alpha1"
)

// withScheme wraps the fields of a scheme into the change of a spec.
func withScheme(fields string) string { return `source: {scheme: {` + fields + `}}` }

const hmac = `algorithm: HMACSHA256, signature: {headers: [X-Signature]}`

func TestSchemeRefusals(t *testing.T) {
	t.Parallel()
	hmacWithList := func(list string) string {
		return withScheme(`algorithm: HMACSHA256, signature: {headers: [X-Signature], list: {` + list + `}}`)
	}
	refusals{
		withScheme(`algorithm: MD5, signature: {headers: [X-Signature]}`):                   `supported values: "HMACSHA1"`,
		withScheme(`signature: {headers: [X-Signature]}`):                                   "algorithm: Required value",
		withScheme(`algorithm: HMACSHA256`):                                                 "`signature.headers` must name the header",
		withScheme(`algorithm: Token`):                                                      "`signature.headers` must name the header",
		withScheme(`algorithm: HMACSHA256, signature: {prefix: a}`):                         "signature.headers: Required value",
		withScheme(`algorithm: HMACSHA256, signature: {headers: []}`):                       "should have at least 1 items",
		withScheme(`algorithm: HMACSHA256, signature: {headers: ["X-Signature:"]}`):         "must be the name of a header, such as X-Signature",
		withScheme(`algorithm: HMACSHA256, signature: {headers: [X-S], encoding: Raw}`):     `supported values: "Hex", "Base64", "Base64URL"`,
		withScheme(`algorithm: BasicAuth, signature: {headers: [Authorization]}`):           "`signature` may not be set with `algorithm: BasicAuth`",
		withScheme(`algorithm: Token, signature: {headers: [X-T]}, content: "{body}"`):      "`content` and `timestamp` may not be set with `algorithm: Token`",
		withScheme(`algorithm: BasicAuth, timestamp: {header: X-Time}`):                     "`content` and `timestamp` may not be set with",
		withScheme(`algorithm: Token, signature: {headers: [X-T], encoding: Hex}`):          "`signature.encoding` and `signature.list` may not be set",
		withScheme(`algorithm: Token, signature: {headers: [X-T], list: {separator: ","}}`): "`signature.encoding` and `signature.list` may not be set",
		withScheme(`algorithm: Token, signature: {headers: [X-T]}, key: {encoding: Hex}`):   "`key` may not be set with `algorithm: Token`",
		withScheme(hmac + `, content: "{timestamp}.{body}"`):                                "`content` uses {timestamp}: say where it stands",
		withScheme(hmac + `, content: "{id}.{body}"`):                                       "`content` uses {id}: say where it stands",
		withScheme(hmac + `, content: "{boddy}"`):                                           "may use only {body} {timestamp} {id}",
		withScheme(hmac + `, content: "{body"`):                                             "may use only {body} {timestamp} {id}",
		withScheme(hmac + `, timestamp: {}`):                                                "the timestamp must stand in exactly one place",
		withScheme(hmac + `, timestamp: {unit: Seconds}`):                                   "the timestamp must stand in exactly one place",
		withScheme(hmac + `, timestamp: {header: X-Time, json: time}`):                      "the timestamp must stand in exactly one place",
		withScheme(hmac + `, timestamp: {header: X-Time, unit: Years}`):                     `supported values: "Seconds"`,
		withScheme(hmac + `, id: {}`):                                                       "exactly one of `header` and `json` must be set",
		withScheme(hmac + `, eventType: {header: X-E, json: type}`):                         "exactly one of `header` and `json` must be set",
		withScheme(hmac + `, id: {json: $.id}`):                                             "must be a dotted path into the body",
		withScheme(hmac + `, id: {json: "a..b"}`):                                           "must be a dotted path into the body",
		withScheme(hmac + `, id: {json: "a b"}`):                                            "must be a dotted path into the body",
		withScheme(hmac + `, key: {}`):                                                      "should have at least 1 properties",
		withScheme(hmac + `, key: {encoding: Base32}`):                                      `supported values: "Raw", "Base64", "Hex"`,
		withScheme(hmac + `, requireHeaders: {}`):                                           "should have at least 1 properties",
		hmacWithList(``): "list.separator: Required value",
		hmacWithList(`separator: ",", signatureKey: v1`):                                         "`keyValueSeparator` and the keys belong together",
		hmacWithList(`separator: ",", keyValueSeparator: "="`):                                   "`keyValueSeparator` and the keys belong together",
		hmacWithList(`separator: ",", keyValueSeparator: "=", timestampKey: t`):                  "`signatureKey` must be set beside `timestampKey`",
		hmacWithList(`separator: ",", keyValueSeparator: ",", signatureKey: v1`):                 "`keyValueSeparator` must differ from `separator`",
		hmacWithList(`separator: ",", keyValueSeparator: "=", signatureKey: t, timestampKey: t`): "`timestampKey` must differ from `signatureKey`",
		`{source: {scheme: {` + hmac + `}}, secretRef: null}`:                                    "`secretRef` must name the Secret",
	}.run(t, v1alpha1.KindWebhookEndpoint, minimal)
}

func TestSchemeAcceptance(t *testing.T) {
	t.Parallel()
	acceptAll(t, v1alpha1.KindWebhookEndpoint, minimal, []string{
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
