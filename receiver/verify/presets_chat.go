package verify

import (
	"time"

	"github.com/postern-dev/postern/receiver/route"
)

// presetsChat are messaging and collaboration providers.
func presetsChat() []preset {
	return []preset{
		{Preset: Preset{
			Name: "slack", DisplayName: "Slack",
			DocsURL:    "https://docs.slack.dev/authentication/verifying-requests-from-slack",
			DeliveryID: "{json:event_id}", EventType: "{json:event.type} | {json:type}", IDSigned: true,
			AckLimit: 3 * time.Second, RetryHorizon: time.Hour,
			Variants: one(route.Scheme{
				Algorithm: route.AlgorithmHMACSHA256,
				Signature: route.Signature{Headers: []string{"X-Slack-Signature"}, Prefix: "v0=", Encoding: route.EncodingHex},
				Content:   "v0:{timestamp}:{body}",
				Timestamp: route.Timestamp{Header: "X-Slack-Request-Timestamp", Unit: route.UnitSeconds},
			}),
			Handshake: "url_verification: the signed challenge is answered as text",
			SetUp: []string{
				"api.slack.com/apps, your app, Basic Information, Signing Secret: put it into the Secret.",
				"Event Subscriptions, Request URL: the endpoint's URL; Slack verifies it at once.",
			},
		}, answer: answerSlack},
	}
}
