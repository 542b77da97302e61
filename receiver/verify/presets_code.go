package verify

import (
	"time"

	"github.com/postern-dev/postern/receiver/route"
)

// presetsCode are code hosts.
func presetsCode() []preset {
	return []preset{
		{Preset: Preset{
			Name: "github", DisplayName: "GitHub",
			DocsURL:    "https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries",
			DeliveryID: "{header:X-GitHub-Delivery}", EventType: "{header:X-GitHub-Event}.{json:action}",
			AckLimit: 10 * time.Second, RetryHorizon: 72 * time.Hour,
			Variants: hmacBody("X-Hub-Signature-256", "sha256=", route.EncodingHex),
			SetUp: []string{
				"Repository or organization, Settings, Webhooks, Add webhook.",
				"Payload URL: the endpoint's URL. Content type: application/json.",
				"Secret: a random string; put the same text into the Secret.",
			},
		}},
		{Preset: Preset{
			Name: "gitlab", DisplayName: "GitLab", Aliases: []string{"gitlab-token", "gitlab-signing-token"},
			DocsURL:    "https://docs.gitlab.com/user/project/integrations/webhooks/",
			DeliveryID: "{header:webhook-id} | {header:Idempotency-Key} | {header:X-Gitlab-Event-UUID}",
			EventType:  "{header:X-Gitlab-Event}",
			AckLimit:   10 * time.Second,
			Headers:    []string{"webhook-signature", "webhook-id", "webhook-timestamp", "X-Gitlab-Token"},
			Variants: []Variant{
				{KeyPrefix: "whsec_", Scheme: standardScheme("webhook", "whsec_")},
				{Scheme: tokenScheme("X-Gitlab-Token", "")},
			},
			SetUp: []string{
				"Project or group, Settings, Webhooks, Add new webhook. URL: the endpoint's URL.",
				"Signing token (preferred): generate it and put the whsec_ text into the Secret.",
				"Secret token (older versions): a random string; put the same text into the Secret.",
			},
		}},
	}
}
