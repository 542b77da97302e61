package verify

import (
	"time"

	"github.com/postern-dev/postern/receiver/route"
)

// presetsCommerce are payment and commerce providers.
func presetsCommerce() []preset {
	return []preset{
		{Preset: Preset{
			Name: "stripe", DisplayName: "Stripe", DocsURL: "https://docs.stripe.com/webhooks/signature",
			DeliveryID: "{json:id}", EventType: "{json:type}", IDSigned: true,
			RetryHorizon: 72 * time.Hour, AckLimit: 10 * time.Second,
			Variants: one(stripeScheme("Stripe-Signature", "v1")),
			SetUp: []string{
				"Workbench, Webhooks, Create an event destination, Webhook endpoint. Endpoint URL: the endpoint's URL.",
				"Signing secret: reveal it and put the whole text, whsec_ included, into the Secret.",
			},
		}},
		{Preset: Preset{
			Name: "shopify", DisplayName: "Shopify",
			DocsURL:    "https://shopify.dev/docs/apps/build/webhooks/subscribe/https",
			DeliveryID: "{header:X-Shopify-Event-Id} | {header:X-Shopify-Webhook-Id}",
			EventType:  "{header:X-Shopify-Topic}",
			AckLimit:   5 * time.Second, RetryHorizon: 48 * time.Hour,
			Variants: hmacBody("X-Shopify-Hmac-Sha256", "", route.EncodingBase64),
			SetUp: []string{
				"App: the key is the app's client secret (Dev Dashboard, Settings, Credentials).",
				"Shop admin: Settings, Notifications, Webhooks shows the key that all its webhooks are signed with.",
			},
		}},
	}
}
